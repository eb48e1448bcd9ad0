//! All simulated vendors on fixed ports, until Ctrl-C.
//!
//! `cargo run -p lyss-sandbox --example sandbox -- [FIRST_PORT] [GAP_MS]`: five ports from FIRST_PORT on (default 9100),
//! GAP_MS between two events of a stream (default 0).

use std::collections::BTreeMap;
use std::io;

use lyss_sandbox::{SandboxConfig, Vendor};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let numbers: Result<Vec<u16>, _> = std::env::args().skip(1).map(|argument| argument.parse()).collect();
    let mut numbers = numbers
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "usage: sandbox [FIRST_PORT] [GAP_MS]"))?
        .into_iter();
    let first_port = numbers.next().unwrap_or(9100);
    let gap_ms = numbers.next().unwrap_or(0).into();
    let ports: BTreeMap<_, _> = Vendor::ALL.into_iter().zip(first_port..).collect();

    let sandbox = lyss_sandbox::start(SandboxConfig { ports, gap_ms, ..SandboxConfig::default() }).await?;
    for vendor in Vendor::ALL {
        println!("{:<13} {}", vendor.slug(), sandbox.api_base(vendor).unwrap_or_default());
    }
    println!("key           {}demo (anything after the prefix will do)", lyss_sandbox::KEY_PREFIX);
    tokio::signal::ctrl_c().await?;
    for vendor in Vendor::ALL {
        println!("{:<13} {:?}", vendor.slug(), sandbox.stats(vendor));
    }
    sandbox.stop().await;
    Ok(())
}
