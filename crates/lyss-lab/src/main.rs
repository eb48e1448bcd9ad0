//! Prints the laboratory's table: `cargo run --release -p lyss-lab`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lyss_lab::command::run()
}
