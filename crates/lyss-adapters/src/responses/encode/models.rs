//! What differs between models: whether they reason, with how much effort, and what they then refuse. From the vendor's
//! pages "Reasoning models" and "Latest model", from the field `effort` of `Reasoning` in its Python library, and, model by
//! model, from the public price list of LiteLLM (`supports_*_reasoning_effort`), read in November 2026.

use crate::conversation::{Effort, Thinking};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    kind: Kind,
    /// The efforts it takes, the least first.
    efforts: &'static [Effort],
    /// Whether it reasons when nothing is said; where not, it takes a temperature then.
    reasons_unasked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Reasoning,
    Plain,
    /// A deployment's own name (Azure): what it is must be seen from what is asked.
    Unknown,
}

use Effort::{High, Low, Medium, Minimal, None as NoEffort, XHigh};

const O_SERIES: &[Effort] = &[Low, Medium, High];
const FIVE: &[Effort] = &[Minimal, Low, Medium, High];
const FIVE_ONE: &[Effort] = &[NoEffort, Low, Medium, High];
const LATER: &[Effort] = &[NoEffort, Low, Medium, High, XHigh];
/// From GPT-5.6 on.
const LATEST: &[Effort] = &[NoEffort, Low, Medium, High, XHigh, Effort::Max];
const CODEX: &[Effort] = &[Low, Medium, High, XHigh];
const PRO: &[Effort] = &[High];
const LATER_PRO: &[Effort] = &[Medium, High, XHigh];
const ANY: &[Effort] = &[NoEffort, Minimal, Low, Medium, High, XHigh];

impl Model {
    /// A model's name, dated or not, with or without a vendor's name before it.
    pub(super) fn of(name: &str) -> Self {
        let name = name.rsplit('/').next().unwrap_or(name);
        let name = name.strip_prefix("ft:").unwrap_or(name);
        let reasoning = |efforts, reasons_unasked| Self { kind: Kind::Reasoning, efforts, reasons_unasked };
        let is_o = name.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if is_o {
            return reasoning(O_SERIES, true);
        }
        if name.starts_with("gpt-4") || name.starts_with("gpt-3") || name.starts_with("chatgpt") {
            return Self { kind: Kind::Plain, efforts: &[], reasons_unasked: false };
        }
        let Some(rest) = name.strip_prefix("gpt-5") else {
            let kind = if name.starts_with("codex") { Kind::Reasoning } else { Kind::Unknown };
            return Self { kind, efforts: ANY, reasons_unasked: true };
        };
        let version = rest.strip_prefix('.').and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        let is = |word: &str| rest.split('-').any(|part| part == word);
        match version {
            None if is("chat") => Self { kind: Kind::Plain, efforts: &[], reasons_unasked: false },
            None if is("pro") => reasoning(PRO, true),
            _ if is("chat") => reasoning(&[Medium], true),
            _ if is("pro") => reasoning(LATER_PRO, true),
            None if is("codex") => reasoning(O_SERIES, true),
            None => reasoning(FIVE, true),
            Some(1) if is("codex") && !is("max") => reasoning(O_SERIES, true),
            Some(_) if is("codex") => reasoning(CODEX, true),
            Some(1) => reasoning(FIVE_ONE, false),
            Some(2..=4) => reasoning(LATER, false),
            Some(5) => reasoning(LATER, true),
            Some(_) => reasoning(LATEST, true),
        }
    }

    /// Whether sealed reasoning is to be asked for; models that do not reason refuse the question.
    pub(super) fn reasons(self, thinking: Option<&Thinking>, has_seals: bool) -> bool {
        match self.kind {
            Kind::Reasoning => true,
            Kind::Plain => false,
            Kind::Unknown => has_seals || thinking.is_some_and(|thinking| !thinking.is_off()),
        }
    }

    pub(super) fn may_reason(self) -> bool {
        self.kind != Kind::Plain
    }

    pub(super) fn has_logprobs(self) -> bool {
        self.kind != Kind::Reasoning || !self.reasons_unasked
    }

    pub(super) fn has_verbosity(self) -> bool {
        self.kind != Kind::Plain
    }

    /// `temperature` and `top_p`.
    pub(super) fn takes_sampling(self, thinking: Option<&Thinking>) -> bool {
        let asked = thinking.and_then(Thinking::effort_or_budget);
        match self.kind {
            Kind::Plain => true,
            Kind::Unknown => thinking.is_none_or(|thinking| thinking.is_off()),
            Kind::Reasoning if thinking.is_some_and(Thinking::is_off) => self.efforts.contains(&NoEffort),
            Kind::Reasoning => asked.is_none() && !self.reasons_unasked,
        }
    }

    /// The nearest effort it takes, and whether that is the one asked for. `None`: nothing to say.
    pub(super) fn effort(self, thinking: &Thinking) -> (Option<Effort>, bool) {
        let asked = if thinking.is_off() { Some(NoEffort) } else { thinking.effort_or_budget() };
        let Some(asked) = asked else { return (None, true) };
        if self.efforts.contains(&asked) {
            return (Some(asked), true);
        }
        let above = self.efforts.iter().copied().find(|effort| *effort > asked);
        (above.or(self.efforts.last().copied()), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effort(model: &str, effort: Effort) -> (Option<Effort>, bool) {
        Model::of(model).effort(&Thinking { effort: Some(effort), ..Thinking::default() })
    }

    #[test]
    fn efforts_are_those_the_model_takes() {
        assert_eq!(effort("gpt-5.2", XHigh), (Some(XHigh), true));
        assert_eq!(effort("gpt-5", NoEffort), (Some(Minimal), false));
        assert_eq!(effort("gpt-5.1", Minimal), (Some(Low), false));
        assert_eq!(effort("o4-mini", XHigh), (Some(High), false));
        assert_eq!(effort("gpt-5.4-mini", Effort::Max), (Some(XHigh), false));
        assert_eq!(effort("gpt-5.5", Effort::Max), (Some(XHigh), false));
        assert_eq!(effort("gpt-5.6-sol", Effort::Max), (Some(Effort::Max), true));
        assert_eq!(effort("gpt-5.5-pro", Low), (Some(Medium), false));
        assert_eq!(effort("gpt-5-pro", Low), (Some(High), false));
        assert_eq!(effort("my-deployment", Minimal), (Some(Minimal), true));
    }

    #[test]
    fn only_reasoning_models_are_asked_for_seals() {
        for (model, expected) in [
            ("gpt-5", true),
            ("o3-2025-04-16", true),
            ("gpt-5.3-codex", true),
            ("openai/gpt-5.1", true),
            ("gpt-4o", false),
            ("gpt-5-chat-latest", false),
            ("ft:gpt-4.1:acme::1", false),
            ("my-deployment", false),
        ] {
            assert_eq!(Model::of(model).reasons(None, false), expected, "{model}");
        }
        assert!(Model::of("my-deployment").reasons(None, true));
    }

    #[test]
    fn temperature_goes_where_nothing_is_reasoned() {
        let off = Thinking::OFF;
        assert!(Model::of("gpt-4.1").takes_sampling(None));
        assert!(Model::of("gpt-5.1").takes_sampling(None));
        assert!(!Model::of("gpt-5").takes_sampling(None));
        assert!(!Model::of("gpt-5").takes_sampling(Some(&off)));
        assert!(Model::of("gpt-5.2").takes_sampling(Some(&off)));
        assert!(!Model::of("o3").takes_sampling(None));
        let high = Thinking { effort: Some(High), ..Thinking::default() };
        assert!(!Model::of("gpt-5.1").takes_sampling(Some(&high)));
    }
}
