//! Random numbers and the few functions of real numbers that distributions need, the same to the last bit on every
//! machine: a system's own `ln` and `exp` differ in their last digit, and one digit changes which call comes first.

use std::f64::consts::{LN_2, SQRT_2};

/// A sequence of draws: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Draws(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Draws {
    pub fn new(seed: u64) -> Self {
        Self(scramble(seed))
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        scramble(self.0)
    }

    /// Above 0 and below 1.
    pub fn unit(&mut self) -> f64 {
        unit(self.draw())
    }

    /// A whole number below `total`; 0 where that is 0.
    pub fn below(&mut self, total: usize) -> usize {
        let wide = (u128::from(self.draw()) * (total as u128)) >> 64;
        usize::try_from(wide).unwrap_or(0)
    }
}

/// The draw that belongs to these numbers, whoever asks for it and when: two algorithms that send the same call to the
/// same vendor meet the same luck.
pub fn belonging_to(seed: u64, call: u64, place: u64, purpose: u64) -> u64 {
    let mut draw = scramble(seed);
    for part in [call, place, purpose] {
        draw = scramble(draw.wrapping_add(STEP) ^ scramble(part.wrapping_add(STEP)));
    }
    draw
}

fn scramble(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Above 0 and below 1.
pub fn unit(draw: u64) -> f64 {
    ((draw >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
}

/// Standard normal: the inverse of its distribution function by P. J. Acklam's rational approximation, whose relative
/// error is below 1.2e-9.
pub fn normal(unit: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e+01,
        2.209460984245205e+02,
        -2.759285104469687e+02,
        1.38357751867269e+02,
        -3.066479806614716e+01,
        2.506628277459239e+00,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e+01,
        1.615858368580409e+02,
        -1.556989798598866e+02,
        6.680131188771972e+01,
        -1.328068155288572e+01,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e+00,
        -2.549732539343734e+00,
        4.374664141464968e+00,
        2.938163982698783e+00,
    ];
    const D: [f64; 5] =
        [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1.0];
    const TAIL: f64 = 0.02425;
    let polynomial = |coefficients: &[f64], x: f64| {
        coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
    };
    let tail = |p: f64| {
        let q = (-2.0 * ln(p)).sqrt();
        polynomial(&C, q) / polynomial(&D, q)
    };
    if unit < TAIL {
        tail(unit)
    } else if unit > 1.0 - TAIL {
        -tail(1.0 - unit)
    } else {
        let q = unit - 0.5;
        let r = q * q;
        q * polynomial(&A, r) / polynomial(&B, r)
    }
}

/// Natural logarithm of a positive, normal number.
pub fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let mut exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0) - 1_023;
    let mut mantissa = f64::from_bits((bits & MANTISSA) | (1_023 << 52));
    if mantissa > SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    // 2 * artanh(s); s is at most 0.172, so that the last term kept is below 1e-18.
    let series = (0..11).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    2.0 * s * series + f64::from(exponent) * LN_2
}

/// e to the power of `x`; 0 and infinity where the result has no place.
pub fn exp(x: f64) -> f64 {
    if x < -700.0 {
        return 0.0;
    }
    if x > 700.0 {
        return f64::INFINITY;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it lies between -1010 and 1010")]
    let halvings = (x / LN_2).round() as i64;
    let rest = x - halvings as f64 * LN_2;
    let series = (1..=14).rev().fold(1.0, |sum, k| 1.0 + rest / f64::from(k) * sum);
    series * f64::from_bits(u64::try_from(1_023 + halvings).unwrap_or(1_023) << 52)
}

/// `x` to the power of `exponent`, for `x` above 0.
pub fn power(x: f64, exponent: f64) -> f64 {
    exp(exponent * ln(x))
}

/// How long until the next of events that come `per_second` times a second, in seconds.
pub fn exponential(unit: f64, per_second: f64) -> f64 {
    -ln(unit) / per_second
}

/// Around 1 in the median, with this spread of the logarithm.
pub fn log_normal(unit: f64, sigma: f64) -> f64 {
    exp(sigma * normal(unit))
}

/// Rounded, at least 1, at most `most`.
pub fn tokens(x: f64, most: u32) -> u32 {
    let bounded = x.round().clamp(1.0, f64::from(most.max(1)));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was bounded just now")]
    let whole = bounded as u32;
    whole
}

#[cfg(test)]
mod tests;
