//! The built-in price table, and how the price in force is found. Facts from the vendors' public price pages, read
//! on the date given; a tenant's own price always comes first.

use std::sync::LazyLock;

use lyss_domain::{Price, PriceId, Rates, Timestamp, tenant::pattern_matches};

/// 2025-10-01T00:00:00Z: these prices are taken to hold from then on.
const SINCE: Timestamp = Timestamp::from_millis(1_759_276_800_000);

/// Micros per million tokens: (model, input, cache read, cache write, long cache write, output).
///
/// Sources: openai.com/api/pricing, docs.anthropic.com "Pricing", api-docs.deepseek.com "Models & Pricing",
/// ai.google.dev "Gemini Developer API pricing" (as remembered, not opened for this table).
const TABLE: &[(&str, i64, i64, i64, i64, i64)] = &[
    ("gpt-4o-mini*", 150_000, 75_000, 0, 0, 600_000),
    ("gpt-4o*", 2_500_000, 1_250_000, 0, 0, 10_000_000),
    ("gpt-4.1-mini*", 400_000, 100_000, 0, 0, 1_600_000),
    ("gpt-4.1-nano*", 100_000, 25_000, 0, 0, 400_000),
    ("gpt-4.1*", 2_000_000, 500_000, 0, 0, 8_000_000),
    ("gpt-5-mini*", 250_000, 25_000, 0, 0, 2_000_000),
    ("gpt-5-nano*", 50_000, 5_000, 0, 0, 400_000),
    ("gpt-5*", 1_250_000, 125_000, 0, 0, 10_000_000),
    ("gpt-3.5-turbo*", 500_000, 500_000, 0, 0, 1_500_000),
    ("claude-haiku-4-5*", 1_000_000, 100_000, 1_250_000, 2_000_000, 5_000_000),
    ("claude-sonnet-4*", 3_000_000, 300_000, 3_750_000, 6_000_000, 15_000_000),
    ("claude-opus-4-1*", 15_000_000, 1_500_000, 18_750_000, 30_000_000, 75_000_000),
    ("deepseek-*", 280_000, 28_000, 0, 0, 420_000),
    // Google's for prompts up to 200,000 tokens; longer ones cost more.
    ("gemini-2.5-pro*", 1_250_000, 125_000, 0, 0, 10_000_000),
    ("gemini-2.5-flash-lite*", 100_000, 10_000, 0, 0, 400_000),
    ("gemini-2.5-flash*", 300_000, 30_000, 0, 0, 2_500_000),
];

/// The table as dated prices.
pub fn built_in() -> &'static [Price] {
    static PRICES: LazyLock<Vec<Price>> = LazyLock::new(|| {
        let row =
            |(index, &(model, input, cache_read, cache_write, cache_write_long, output)): (usize, &_)| {
                Price {
                    // A fixed id a row: version 8 (vendor-defined) with the row's number.
                    id: PriceId(uuid_of_row(index)),
                    tenant: None,
                    model: str::to_owned(model),
                    effective_from: SINCE,
                    rates: Rates {
                        input,
                        cache_read,
                        cache_write,
                        cache_write_long,
                        output,
                        ..Rates::default()
                    },
                    created_at: SINCE,
                }
            };
        TABLE.iter().enumerate().map(row).collect()
    });
    &PRICES
}

/// The longest matching name's newest price that is effective at `at`. `prices` is newest first.
pub fn in_force<'a>(prices: &'a [Price], model: &str, at: Timestamp) -> Option<&'a Price> {
    let mut best: Option<&Price> = None;
    for price in prices {
        let fits = price.effective_from <= at && pattern_matches(&price.model, model);
        if fits && best.is_none_or(|found| price.model.len() > found.model.len()) {
            best = Some(price);
        }
    }
    best
}

fn uuid_of_row(index: usize) -> uuid::Uuid {
    uuid::Builder::from_custom_bytes((index as u128 + 1).to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_and_the_newest_date_win() {
        let now = SINCE.after(std::time::Duration::from_secs(1));
        let model = |name: &str| in_force(built_in(), name, now).map(|p| p.rates.output);
        assert_eq!(model("gpt-4o-mini-2024-07-18"), Some(600_000));
        assert_eq!(model("gpt-4o-2024-08-06"), Some(10_000_000));
        assert_eq!(model("unheard-of"), None);
        assert!(in_force(built_in(), "gpt-4o", Timestamp::from_micros(0)).is_none(), "before its date");
    }

    #[test]
    fn every_row_has_an_id_of_its_own() {
        let ids: std::collections::HashSet<_> = built_in().iter().map(|p| p.id).collect();
        assert_eq!(ids.len(), TABLE.len());
    }
}
