//! A decision in few bytes: a version, then fixed fields, whole numbers as LEB128, floating-point numbers bit by bit,
//! so that what is read decides as what was written.

use std::time::Duration;

use lyss_domain::{ChannelId, Strategy, Tick};
use smallvec::SmallVec;

use super::{Decision, Memory};
use crate::{Candidate, Choice, Objective, Regime, Size, Snapshot, Standing, Unit, Why};

/// The first byte. Readers refuse what they do not know: a decision that is read wrongly explains nothing.
pub const VERSION: u8 = 1;

/// More candidates than this are not written down: the record would outgrow its worth.
const MOST_CANDIDATES: usize = 4_096;

/// It was written by another version, or is no decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the recorded decision cannot be read by this version")
    }
}

impl std::error::Error for Unreadable {}

impl Decision {
    /// About 75 bytes for each candidate and 40 beside them; `None`: of more than 4,096 candidates.
    pub fn encode(&self) -> Option<Vec<u8>> {
        if self.candidates.len() > MOST_CANDIDATES {
            return None;
        }
        let mut out = Writer(Vec::with_capacity(64 + 80 * self.candidates.len()));
        out.0.push(VERSION);
        out.choice(self.choice);
        out.one_of(&Strategy::ALL, self.strategy);
        out.one_of(&OBJECTIVES, self.objective);
        out.0.extend_from_slice(&self.group.to_le_bytes());
        out.0.extend_from_slice(&self.draw.to_le_bytes());
        out.number(self.now.0);
        out.number(u64::from(self.size.prompt_tokens));
        out.number(u64::from(self.size.output_tokens));
        out.0.push(u8::from(self.last) | (u8::from(self.affinity.is_some()) << 1));
        out.0.extend(self.affinity.iter().flat_map(|key| key.to_le_bytes()));
        out.count(self.tried.len());
        self.tried.iter().for_each(|index| out.count(*index));
        out.count(self.candidates.len());
        self.candidates.iter().for_each(|candidate| out.candidate(candidate));
        out.memory(&self.memory);
        Some(out.0)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut from = Reader(bytes);
        let decision = from.decision().ok_or(Unreadable)?;
        if from.0.is_empty() { Ok(decision) } else { Err(Unreadable) }
    }
}

const OBJECTIVES: [Objective; 3] = [Objective::Latency, Objective::Balanced, Objective::Cost];
const WHYS: [Why; 4] = [Why::Algorithm, Why::Affinity, Why::Trial, Why::Panic];
const UNITS: [Unit; 2] = [Unit::Connections, Unit::Tokens];

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut number: u64) {
        loop {
            let low = u8::try_from(number & 0x7f).unwrap_or(0);
            number >>= 7;
            if number == 0 {
                return self.0.push(low);
            }
            self.0.push(low | 0x80);
        }
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn signed(&mut self, number: i64) {
        self.number(number.cast_unsigned() << 1 ^ (number >> 63).cast_unsigned());
    }

    fn float(&mut self, number: f32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn one_of<T: PartialEq>(&mut self, all: &[T], one: T) {
        self.count(all.iter().position(|other| *other == one).unwrap_or(0));
    }

    /// Nanoseconds, up to 584 years; longer ones are all written as the longest there is.
    fn span(&mut self, span: Duration) {
        self.number(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
    }

    fn choice(&mut self, choice: Choice) {
        match choice {
            Choice::Chosen { index, why } => {
                self.0.push(0);
                self.one_of(&WHYS, why);
                self.count(index);
            }
            Choice::Full => self.0.push(1),
            Choice::Cooling(wait) => {
                self.0.push(2);
                self.span(wait);
            }
            Choice::Nobody => self.0.push(3),
        }
    }

    fn candidate(&mut self, candidate: &Candidate) {
        let Candidate { channel, weight, priority, price_micros, snapshot } = candidate;
        self.0.extend_from_slice(channel.0.as_bytes());
        self.number(u64::from(*weight));
        self.signed(i64::from(*priority));
        self.number(u64::from(*price_micros));
        self.snapshot(snapshot);
    }

    fn snapshot(&mut self, snapshot: &Snapshot) {
        let (kind, left) = match snapshot.standing {
            Standing::Open => (0, None),
            Standing::OnTrial => (1, None),
            Standing::TrialTaken => (2, None),
            Standing::Ejected(left) => (3, Some(left)),
            Standing::Cooling(left) => (4, Some(left)),
        };
        self.0.push(kind);
        left.into_iter().for_each(|left| self.span(left));
        for number in whole(snapshot) {
            self.number(u64::from(number));
        }
        for number in floats(snapshot) {
            self.float(number);
        }
        self.span(snapshot.idle);
    }

    fn memory(&mut self, memory: &Memory) {
        match memory {
            Memory::Nothing => self.0.push(0),
            Memory::Credits(credits) => {
                self.0.push(1);
                self.count(credits.len());
                credits.iter().for_each(|credit| self.signed(*credit));
            }
            Memory::Regime(regime) => {
                self.0.push(2);
                self.one_of(&Regime::ALL, *regime);
            }
            Memory::Counting(unit) => {
                self.0.push(3);
                self.one_of(&UNITS, *unit);
            }
        }
    }
}

/// Counts of a snapshot, in the order in which they are written. "Any number" is made 0, which is shorter.
fn whole(snapshot: &Snapshot) -> [u32; 5] {
    let Snapshot { in_flight, in_flight_elsewhere, outstanding_tokens, limit, samples, .. } = *snapshot;
    [in_flight, in_flight_elsewhere, outstanding_tokens, limit.wrapping_add(1), samples]
}

fn floats(snapshot: &Snapshot) -> [f32; 11] {
    let Snapshot {
        ttft_us,
        ttft_mean_us,
        tpot_us,
        tpot_mean_us,
        spread,
        good,
        bad,
        judged,
        lost,
        headroom,
        pace,
        ..
    } = *snapshot;
    [ttft_us, ttft_mean_us, tpot_us, tpot_mean_us, spread, good, bad, judged, lost, headroom, pace]
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn decision(&mut self) -> Option<Decision> {
        if self.byte()? != VERSION {
            return None;
        }
        let choice = self.choice()?;
        let strategy = self.one_of(&Strategy::ALL)?;
        let objective = self.one_of(&OBJECTIVES)?;
        let (group, draw) = (u64::from_le_bytes(self.take()?), u64::from_le_bytes(self.take()?));
        let now = Tick(self.number()?);
        let size = Size { prompt_tokens: self.small()?, output_tokens: self.small()? };
        let flags = self.byte()?;
        let affinity = if flags & 2 == 0 { None } else { Some(u64::from_le_bytes(self.take()?)) };
        let mut tried = SmallVec::new();
        for _ in 0..self.count()? {
            tried.push(usize::try_from(self.number()?).ok()?);
        }
        let mut candidates = SmallVec::new();
        for _ in 0..self.count()?.min(MOST_CANDIDATES + 1) {
            candidates.push(self.candidate()?);
        }
        let memory = self.memory()?;
        let last = flags & 1 != 0;
        let decision = Decision {
            strategy,
            choice,
            group,
            size,
            objective,
            candidates,
            tried,
            affinity,
            last,
            draw,
            now,
            memory,
        };
        (flags < 4 && decision.candidates.len() <= MOST_CANDIDATES).then_some(decision)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return None;
            }
            number |= part << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// Of things that take at least a byte each, so never more than are left to read.
    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len())
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn float(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(usize::try_from(self.number()?).ok()?).copied()
    }

    fn span(&mut self) -> Option<Duration> {
        let nanos = self.number()?;
        Some(if nanos == u64::MAX { Duration::MAX } else { Duration::from_nanos(nanos) })
    }

    fn choice(&mut self) -> Option<Choice> {
        Some(match self.byte()? {
            0 => {
                let why = self.one_of(&WHYS)?;
                Choice::Chosen { index: usize::try_from(self.number()?).ok()?, why }
            }
            1 => Choice::Full,
            2 => Choice::Cooling(self.span()?),
            3 => Choice::Nobody,
            _ => return None,
        })
    }

    fn candidate(&mut self) -> Option<Candidate> {
        let channel = ChannelId(uuid::Uuid::from_bytes(self.take()?));
        let weight = self.small()?;
        let priority = i32::try_from(self.signed()?).ok()?;
        Some(Candidate {
            price_micros: self.small()?,
            snapshot: self.snapshot()?,
            ..Candidate::new(channel, weight, priority)
        })
    }

    fn snapshot(&mut self) -> Option<Snapshot> {
        let standing = match self.byte()? {
            0 => Standing::Open,
            1 => Standing::OnTrial,
            2 => Standing::TrialTaken,
            3 => Standing::Ejected(self.span()?),
            4 => Standing::Cooling(self.span()?),
            _ => return None,
        };
        Some(Snapshot {
            standing,
            in_flight: self.small()?,
            in_flight_elsewhere: self.small()?,
            outstanding_tokens: self.small()?,
            limit: self.small()?.wrapping_sub(1),
            samples: self.small()?,
            ttft_us: self.float()?,
            ttft_mean_us: self.float()?,
            tpot_us: self.float()?,
            tpot_mean_us: self.float()?,
            spread: self.float()?,
            good: self.float()?,
            bad: self.float()?,
            judged: self.float()?,
            lost: self.float()?,
            headroom: self.float()?,
            pace: self.float()?,
            idle: self.span()?,
        })
    }

    fn memory(&mut self) -> Option<Memory> {
        Some(match self.byte()? {
            0 => Memory::Nothing,
            1 => {
                let mut credits = SmallVec::new();
                for _ in 0..self.count()? {
                    credits.push(self.signed()?);
                }
                Memory::Credits(credits)
            }
            2 => Memory::Regime(self.one_of(&Regime::ALL)?),
            3 => Memory::Counting(self.one_of(&UNITS)?),
            _ => return None,
        })
    }
}
