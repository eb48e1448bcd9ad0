use super::*;

/// The quick form of what CI asks: no algorithm is worse than when the baseline was accepted.
#[test]
fn no_algorithm_became_worse() {
    let policies: Vec<Policy> =
        Policy::ALL.into_iter().filter(|policy| is_held(*policy) || *policy == Policy::Oracle).collect();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let worse = compare_quick(&crate::trial::run_all(&quick_scenarios(), &policies, threads));
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
    let trial = Trial::run(&scenario, &Policy::ALL);
    let text = render(std::slice::from_ref(&trial), std::slice::from_ref(&trial));
    let entries = read(&text);
    assert_eq!(entries.len(), 5, "{text}");
    assert_eq!(compare(std::slice::from_ref(&trial), &entries, |entry| entry.full), Vec::<String>::new());
    let worse = compare(std::slice::from_ref(&trial), &entries, |entry| entry.full / 1.05);
    assert_eq!(worse.len(), 5);
    assert!(worse[0].starts_with("adaptive became worse in even_pool: regret "), "{}", worse[0]);
    let missing = compare(std::slice::from_ref(&trial), &[], |entry| entry.full);
    assert!(missing[0].contains("is not in the baseline"), "{}", missing[0]);
}
