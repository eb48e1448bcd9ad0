use clap::{CommandFactory, Parser};

use super::{Cli, Task};

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_task_shows_an_example() {
    for task in Cli::command().get_subcommands() {
        let help = task.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(
            help.contains(&format!("Example: cargo xtask {}", task.get_name())),
            "{}: {help:?}",
            task.get_name()
        );
    }
}

#[test]
fn arguments_for_other_tools_arrive_untouched() {
    let Task::Test { args } =
        Cli::parse_from(["cargo xtask", "test", "-p", "lyss-quota", "--", "--nocapture"]).task
    else {
        panic!("not a test run");
    };
    assert_eq!(args, ["-p", "lyss-quota", "--", "--nocapture"]);

    let Task::Services { command } =
        Cli::parse_from(["cargo xtask", "services", "--", "psql", "-c", "select 1"]).task
    else {
        panic!("not services");
    };
    assert_eq!(command, ["psql", "-c", "select 1"]);
}
