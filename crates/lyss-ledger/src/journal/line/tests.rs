use lyss_domain::{FaultKind, PriceId, Terminal, TokenUsage, UsageSource};

use super::{Line, read, write};
use crate::tests::record;

fn line_of(record: &lyss_domain::AttemptRecord) -> Vec<u8> {
    let mut line = Vec::new();
    write(&mut line, record).unwrap();
    line
}

#[test]
fn every_field_comes_back() {
    let mut full = record(7);
    full.ordinal = 3;
    full.model_asked = "a \"quoted\"\nmodel \u{1F980}".into();
    full.terminal = Terminal::UpstreamCut;
    full.fault = Some(FaultKind::UpstreamCut);
    full.status = Some(529);
    full.price = Some(PriceId::from_parts(9, &[9; 10]));
    full.decision = Some((0..=255).collect());
    full.ttft_us = Some(-1);
    full.usage_source = UsageSource::Estimated;
    full.usage = TokenUsage {
        input: 1,
        cache_read: 2,
        cache_write: 3,
        cache_write_long: 4,
        audio_input: 5,
        output: 1 << 40,
        reasoning: 7,
        audio_output: u64::MAX,
    };
    for record in [full, record(8)] {
        let line = line_of(&record);
        let (newline, text) = line.split_last().unwrap();
        assert_eq!((*newline, text.contains(&b'\n')), (b'\n', false));
        assert_eq!(read(text), Line::Record(Box::new(record)));
    }
}

#[test]
fn a_line_cut_anywhere_or_with_any_bit_turned_is_torn() {
    let line = line_of(&record(1));
    let text = &line[..line.len() - 1];
    for cut in 0..text.len() {
        assert_eq!(read(&text[..cut]), Line::Torn, "cut at {cut}");
    }
    for at in 0..text.len() {
        let mut turned = text.to_vec();
        // Not the bit that only turns a hexadecimal letter into its capital.
        turned[at] ^= 1;
        assert_eq!(read(&turned), Line::Torn, "turned at {at}");
    }
}

/// Lines written by the first release must read for ever.
#[test]
fn a_line_of_version_one_reads() {
    let id = |n: u8| format!("00000000-0000-0000-0000-0000000000{n:02}");
    let json = format!(
        r#"{{"v":1,"id":"{}","call":"{}","ordinal":0,"tenant":"{}","key":"{}","channel":"{}","provider":"openai","model_asked":"m","model_served":"n","strategy":"round_robin","stream":true,"terminal":"complete","usage":{{"input":5,"output":6}},"usage_source":"provider","cost_micros":7,"started_at_us":8,"total_us":9}}"#,
        id(1),
        id(2),
        id(3),
        id(4),
        id(5)
    );
    let line = |json: &str| format!("{:08x} {json}", crc32fast::hash(json.as_bytes()));
    let Line::Record(read_back) = read(line(&json).as_bytes()) else { panic!("not read") };
    assert_eq!((read_back.usage.total(), read_back.cost.0, read_back.price), (11, 7, None));
    for unreadable in [json.replace("\"v\":1", "\"v\":2"), json.replace("complete", "completed"), "{}".into()]
    {
        assert_eq!(read(line(&unreadable).as_bytes()), Line::Foreign);
    }
}
