use super::*;
use crate::scenario::{Faults, Refusal, Upstream};
use lyss_domain::FaultKind;

const CALL: Call = Call { at: Tick(0), replica: 0, prompt_tokens: 1_000, output_tokens: 200, turn: None };

fn chosen(specs: &[Upstream]) -> Option<usize> {
    let vendors: Vec<Vendor<'_>> = specs.iter().map(|spec| Vendor::new(spec, 1, 0)).collect();
    choose(&vendors, |_| true, &CALL, Timers::default(), Plan::default(), Tick(0))
}

fn with(faults: Faults) -> Upstream {
    Upstream { faults, ..Upstream::usual("faulty") }
}

#[test]
fn the_fastest_is_chosen_unless_its_faults_cost_more() {
    let slow = Upstream::usual("slow").slower(1.5);
    assert_eq!(chosen(&[slow.clone(), Upstream::usual("fast")]), Some(1));
    let cutting = with(Faults { cut_chance: 0.3, ..Faults::default() });
    assert_eq!(chosen(&[slow.clone(), cutting]), Some(0));
    let hanging = with(Faults { hang_chance: 0.3, ..Faults::default() });
    assert_eq!(chosen(&[slow.clone(), hanging]), Some(0));
    // A refusal is quick, and another channel stands behind it: worth a try where it is rare.
    let refusal = |chance| Refusal { chance, kind: FaultKind::VendorError, after: Duration::from_millis(20) };
    let refusing = |chance| with(Faults { refusal: Some(refusal(chance)), ..Faults::default() });
    assert_eq!(chosen(&[slow.clone(), refusing(0.1)]), Some(1));
    assert_eq!(chosen(&[slow, refusing(1.0)]), Some(0));
}

#[test]
fn nobody_is_chosen_where_nobody_may_serve() {
    let spec = Upstream::usual("a");
    let vendors = [Vendor::new(&spec, 1, 0)];
    assert_eq!(choose(&vendors, |_| false, &CALL, Timers::default(), Plan::default(), Tick(0)), None);
}

#[test]
fn a_silence_longer_than_the_timer_is_no_service() {
    let endless =
        Upstream { ttft: Duration::from_secs(100), tpot: Duration::ZERO, ..Upstream::usual("endless") };
    let late = Upstream { ttft: Duration::from_secs(20), tpot: Duration::from_millis(90), ..endless.clone() };
    assert_eq!(chosen(&[endless, late]), Some(1));
}
