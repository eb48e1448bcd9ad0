use super::*;

#[test]
fn functions_agree_with_the_systems_own() {
    for step in -600..=600 {
        let x = f64::from(step) / 3.0;
        let (ours, theirs) = (exp(x), x.exp());
        assert!((ours / theirs - 1.0).abs() < 1e-13, "exp({x}): {ours} and {theirs}");
        let (ours, theirs) = (ln(theirs), x);
        assert!((ours - theirs).abs() < 1e-12 * theirs.abs().max(1.0), "ln: {ours} and {theirs}");
    }
    assert!((power(2.0, 0.5) - SQRT_2).abs() < 1e-14);
}

#[test]
fn draws_have_the_moments_of_their_distributions() {
    let mut draws = Draws::new(1);
    let n = 200_000;
    let (mut sum, mut squares, mut waits) = (0.0, 0.0, 0.0);
    for _ in 0..n {
        let z = normal(draws.unit());
        sum += z;
        squares += z * z;
        waits += exponential(draws.unit(), 4.0);
    }
    let n = f64::from(n);
    assert!((sum / n).abs() < 0.01);
    assert!((squares / n - 1.0).abs() < 0.01);
    assert!((waits / n - 0.25).abs() < 0.005);
}

#[test]
fn the_normal_has_its_known_quantiles() {
    for (unit, expected) in
        [(0.5, 0.0), (0.975, 1.959_963_985), (0.01, -2.326_347_874), (0.999, 3.090_232_306)]
    {
        assert!((normal(unit) - expected).abs() < 1e-7, "{unit}");
    }
}

#[test]
fn a_draw_belongs_to_its_place() {
    let draw = belonging_to(1, 2, 3, 4);
    assert_eq!(draw, belonging_to(1, 2, 3, 4));
    for other in [
        belonging_to(2, 2, 3, 4),
        belonging_to(1, 3, 3, 4),
        belonging_to(1, 2, 4, 4),
        belonging_to(1, 2, 3, 5),
    ] {
        assert_ne!(draw, other);
    }
}
