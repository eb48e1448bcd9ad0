use super::*;

/// The quick form of what CI asks: no algorithm is worse than when the baseline was accepted.
#[test]
fn no_algorithm_became_worse() {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let worse = compare_quick(&trial::run_all(&quick_scenarios(), &held(), threads));
    assert!(
        worse.is_empty(),
        "{}\nIf this is meant: cargo run --release -p lyss-lab -- --write-baseline",
        worse.join("\n")
    );
}

#[test]
fn a_worse_figure_is_told_in_words() {
    let mut scenario = scenarios::even_pool();
    scenario.span = std::time::Duration::from_secs(20);
    scenario.seeds.truncate(1);
    let trials = [Trial::run(&scenario, &Policy::ALL)];
    let lucks = [vec![trials[0].report.clone()]];
    let text = render(&lucks, &lucks);
    let entries = read(&text);
    assert_eq!(entries.len(), 5, "{text}");
    assert_eq!(compare(&trials, &entries, |entry| entry.full), Vec::<String>::new());
    let better = |entry: &Entry| Known { mean: entry.full.mean / 1.05, ..entry.full };
    let worse = compare(&trials, &entries, better);
    assert_eq!(worse.len(), 5);
    assert!(worse[0].starts_with("adaptive became worse in even_pool: regret "), "{}", worse[0]);
    // What lies within chance is no change of mind.
    let by_chance = |entry: &Entry| Known { deviation: 0.02, ..better(entry) };
    assert_eq!(compare(&trials, &entries, by_chance), Vec::<String>::new());
    let missing = compare(&trials, &[], |entry| entry.full);
    assert!(missing[0].contains("is not in the baseline"), "{}", missing[0]);
}

#[test]
fn a_spread_is_that_of_a_sample() {
    let known = Known::of(vec![1.0, 2.0, 3.0]);
    assert_eq!((known.mean, known.deviation), (2.0, 1.0));
    assert_eq!(Known::of(vec![1.5]), Known { mean: 1.5, deviation: 0.0 });
}
