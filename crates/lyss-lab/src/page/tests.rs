use super::*;
use crate::scenarios;

#[test]
fn a_tenants_names_cannot_write_the_page() {
    let mut scenario = scenarios::even_pool();
    scenario.span = std::time::Duration::from_secs(10);
    scenario.seeds.truncate(1);
    scenario.name = "<script>alert(1)</script>".to_owned();
    scenario.upstreams[0].name = "a\"<b>".to_owned();
    let trials = [Trial::run(&scenario, &Policy::ALL)];
    let drawing = drawing(&trials);
    assert!(!drawing.contains("<script") && drawing.contains("adaptive in &lt;script"), "{drawing}");
    let html = page(&trials, None, &[]);
    assert!(!html.contains("<script"), "the name was not escaped");
    assert!(html.contains("a&quot;&lt;b&gt;"));
    for policy in Policy::ALL {
        assert!(html.contains(&format!("<figcaption>{policy}</figcaption>")), "{policy} is not drawn");
    }
    assert!(!html.contains("NaN"), "a drawing has no place for what is no number");
}
