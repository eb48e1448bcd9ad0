//! Deterministic text, in pieces as it will be streamed.

#[cfg(test)]
mod tests;

/// A text and where its pieces end: one allocation for any number of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pieces {
    text: String,
    ends: Vec<usize>,
}

/// An answer ends with the sentence that reaches this.
const ENOUGH_WORDS: usize = 20;
const THOUGHT_WORDS: usize = 12;

/// Some hold quotes, a line break or letters beyond ASCII, so that those are met on the way by everybody.
const SENTENCES: [&str; 16] = [
    "The harbour was quiet before dawn, and only the gulls kept an eye on the empty boats.",
    "Most questions grow smaller once somebody writes them down on a sheet of plain paper.",
    "A good map leaves out nearly everything, which is exactly why it can be folded.",
    "Rain is expected in the hills by noon, though the valley should stay dry until evening.",
    "She measured the shelf twice, cut the board once, and still had a story to tell.",
    "In the café on the corner they say \"tomorrow\" and mean some day next week.",
    "Three things are needed here:\n- a list\n- a pencil\n- somebody who is in no hurry at all.",
    "The old bridge carries carts and bicycles, but lorries have to take the longer road.",
    "Nobody remembers who planted the pear tree, yet everyone knows when it is ripe.",
    "Begin with the smallest part that works, then look at it for a while before going on.",
    "Zoë's naïve plan – walk north until it gets cold – turned out to be surprisingly sound.",
    "A clock that is wrong by one minute is trusted more than one that has stopped.",
    "They counted forty lanterns along the river, each with a different colour of glass.",
    "The library closes at six, so the last chapter will have to wait until Monday.",
    "Every knot in the rope stood for a day at sea, and the rope was long.",
    "Fresh bread, a little salt and a window facing east make a very decent morning.",
];

const THOUGHTS: [&str; 4] = [
    "First look at what is being asked, then at what can be left aside, and only then answer.",
    "The short way seems right here, but it is worth checking one case before saying so.",
    "There are two readings of this; the plainer one fits the words better, so take it.",
    "Nothing in the question needs a table, a few clear sentences will carry all of it.",
];

/// Hash of the model and the last user text (FNV-1a): the same question gets the same answer, everywhere and always.
pub(crate) fn seed(model: &str, user_text: &str) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = model.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fold);
    user_text.as_bytes().iter().fold(fold(hash, &0xff), fold)
}

/// What another choice of the same call starts from.
pub(crate) fn reseed(seed: u64, choice: usize) -> u64 {
    seed.wrapping_add((choice as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Exactly `wanted` words after those of `opening`, or whole sentences of some 20 to 40 words.
pub(crate) fn words(seed: u64, opening: &str, wanted: Option<usize>) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.push_words(opening, wanted.unwrap_or(usize::MAX));
    for sentence in from(&SENTENCES, seed) {
        if pieces.len() >= wanted.unwrap_or(ENOUGH_WORDS) {
            break;
        }
        pieces.push_words(sentence, wanted.unwrap_or(usize::MAX));
    }
    pieces
}

/// What a reasoning model thinks before it answers.
pub(crate) fn thoughts(seed: u64, wanted: Option<usize>) -> Pieces {
    let mut pieces = Pieces::default();
    let most = wanted.unwrap_or(THOUGHT_WORDS);
    for sentence in from(&THOUGHTS, seed >> 8).take(if wanted.is_some() { usize::MAX } else { 1 }) {
        if pieces.len() >= most {
            break;
        }
        pieces.push_words(sentence, most);
    }
    pieces
}

fn from<const N: usize>(
    sentences: &'static [&'static str; N],
    seed: u64,
) -> impl Iterator<Item = &'static str> {
    let start = usize::try_from(seed % N as u64).unwrap_or(0);
    sentences.iter().cycle().skip(start).copied()
}

impl Pieces {
    /// Cuts `text` into pieces of a few bytes, at least three where it is long enough: how tool arguments arrive.
    pub(crate) fn fragments(text: &str) -> Self {
        Self::cut(text, (text.len() / 3).clamp(1, 8))
    }

    /// Cuts `text` into pieces of at least `size` bytes, never inside a letter.
    pub(crate) fn cut(text: &str, size: usize) -> Self {
        let mut pieces = Self::default();
        let mut from = 0;
        for (at, letter) in text.char_indices() {
            let end = at + letter.len_utf8();
            if end - from >= size {
                pieces.ends.push(end);
                from = end;
            }
        }
        if from < text.len() {
            pieces.ends.push(text.len());
        }
        text.clone_into(&mut pieces.text);
        pieces
    }

    pub(crate) fn push(&mut self, piece: &str) {
        self.text.push_str(piece);
        self.ends.push(self.text.len());
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.ends.iter().scan(0, |from, &to| {
            let piece = self.text.get(*from..to);
            *from = to;
            piece
        })
    }

    /// Keeps the first `count` pieces.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.ends.truncate(count);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Keeps the first `count` bytes, which must end a letter; the piece they end in is shortened.
    pub(crate) fn truncate_bytes(&mut self, count: usize) {
        if count < self.text.len() {
            self.text.truncate(count);
            self.ends.retain(|end| *end < count);
            if count > 0 {
                self.ends.push(count);
            }
        }
    }

    /// Appends the words of `sentence`, each with the space before it, until there are `most`.
    fn push_words(&mut self, sentence: &str, most: usize) {
        for word in sentence.split(' ').filter(|word| !word.is_empty()) {
            if self.len() >= most {
                return;
            }
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.push(word);
        }
    }
}
