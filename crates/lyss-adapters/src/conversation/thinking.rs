//! How much a model is asked to think, in words and in tokens.

/// What the caller wishes. Fields that its dialect does not have stay `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thinking {
    pub mode: ThinkingMode,
    pub effort: Option<Effort>,
    /// The most tokens to think with.
    pub budget: Option<u64>,
    /// The thoughts, or a summary of them, are to be shown. `None`: the vendor's default.
    pub show: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThinkingMode {
    /// Only effort, budget or visibility were said.
    #[default]
    Unsaid,
    Off,
    /// The model decides how much (Anthropic `adaptive`, Google's budget of -1).
    Adaptive,
    On,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

impl Effort {
    const WORDS: [(Self, &'static str); 7] = [
        (Self::None, "none"),
        (Self::Minimal, "minimal"),
        (Self::Low, "low"),
        (Self::Medium, "medium"),
        (Self::High, "high"),
        (Self::XHigh, "xhigh"),
        (Self::Max, "max"),
    ];

    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(effort, _)| *effort == self).map_or("medium", |(_, word)| word)
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(effort, _)| *effort)
    }

    /// A budget in tokens for models that take no effort. The steps are those of Google's page "OpenAI
    /// compatibility" (1,024, 8,192 and 24,576), carried on upwards.
    pub const fn budget(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal | Self::Low => 1_024,
            Self::Medium => 8_192,
            Self::High => 24_576,
            Self::XHigh | Self::Max => 32_768,
        }
    }

    /// The reverse: the effort whose budget is nearest from above.
    pub const fn of_budget(tokens: u64) -> Self {
        match tokens {
            0 => Self::None,
            1..=1_024 => Self::Low,
            1_025..=8_192 => Self::Medium,
            _ => Self::High,
        }
    }
}

impl Thinking {
    pub const OFF: Self = Self { mode: ThinkingMode::Off, effort: None, budget: None, show: None };

    /// Thinking is asked not to happen.
    pub fn is_off(&self) -> bool {
        self.mode == ThinkingMode::Off || self.effort == Some(Effort::None) || self.budget == Some(0)
    }

    /// The effort said, or what the budget comes to.
    pub fn effort_or_budget(&self) -> Option<Effort> {
        self.effort.or(self.budget.map(Effort::of_budget))
    }

    /// The budget said, or what the effort comes to.
    pub fn budget_or_effort(&self) -> Option<u64> {
        self.budget.or(self.effort.map(Effort::budget))
    }
}
