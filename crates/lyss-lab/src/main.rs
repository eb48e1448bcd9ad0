//! Prints the laboratory's table: `cargo run --release -p lyss-lab`.

fn main() {
    for scenario in lyss_lab::scenarios::all() {
        println!("{}", lyss_lab::report::table(&lyss_lab::simulate(&scenario)));
    }
}
