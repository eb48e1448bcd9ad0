use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::{Interrupt, Running, exit_code};

#[test]
fn an_exit_code_is_passed_on() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 128 + 15)] {
        let status = Command::new("sh").args(["-c", script]).status().unwrap();
        assert_eq!(exit_code(status), code, "{script}");
    }
}

#[test]
fn dropping_the_guard_ends_the_whole_group() {
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 600 & echo started; wait"]).stdout(Stdio::piped());
    let mut running = Running::background("sleeper", &mut command).unwrap();
    let mut lines = BufReader::new(running.child().stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "started");

    drop(running);

    // Both the shell and its own child held the pipe: its end means that both are gone.
    assert!(lines.next().is_none());
}

#[test]
fn what_an_ended_child_left_running_is_not_touched() {
    let mut command = Command::new("sh");
    command
        .args(["-c", "exec 3<&0; (read stop <&3; echo $stop) &"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut running = Running::background("starter", &mut command).unwrap();
    let mut input = running.child().stdin.take().unwrap();
    let mut output = BufReader::new(running.child().stdout.take().unwrap()).lines();
    assert!(running.wait(&Interrupt::listen().unwrap()).unwrap().success());

    input.write_all(b"stop\n").unwrap();

    assert_eq!(output.next().unwrap().unwrap(), "stop");
}
