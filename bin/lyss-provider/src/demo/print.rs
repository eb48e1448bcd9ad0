//! What the demo says on standard output.

use std::net::SocketAddr;
use std::time::Duration;

use lyss_domain::AttemptRecord;

use super::show::Row;
use super::stage::{Stage, StagedChannel};

pub(crate) fn title(channel: &StagedChannel) {
    println!("── {} · {} ──", channel.name, channel.model);
}

pub(crate) fn ended(error: Option<&anyhow::Error>) {
    match error {
        None => println!("\n"),
        Some(error) => println!("\nFAILED: {error:#}\n"),
    }
}

/// One line a channel; figures come from the usage records.
pub(crate) fn table(rows: &[Row]) {
    const HEAD: [&str; 7] = ["channel", "model", "tokens in", "tokens out", "cost", "first token", "total"];
    let mut lines = vec![HEAD.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| match &row.outcome {
        Ok(record) => figures(row, record),
        Err(_) => {
            let mut line = [(); 7].map(|()| "-".to_owned());
            line[0].clone_from(&row.channel);
            line[1].clone_from(&row.model);
            line[6] = "FAILED".to_owned();
            line
        }
    }));
    let widths: [usize; 7] = std::array::from_fn(|column| {
        lines.iter().map(|line| line.get(column).map_or(0, |cell| cell.chars().count())).max().unwrap_or(0)
    });
    for line in &lines {
        let cells: Vec<_> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", cells.join("  ").trim_end());
    }
    println!();
}

fn figures(row: &Row, record: &AttemptRecord) -> [String; 7] {
    [
        row.channel.clone(),
        row.model.clone(),
        record.usage.prompt().to_string(),
        record.usage.completion().to_string(),
        record.cost.to_string(),
        record.ttft_us.map_or_else(|| "-".to_owned(), millis),
        millis(record.total_us),
    ]
}

fn millis(us: i64) -> String {
    let span = Duration::from_micros(u64::try_from(us).unwrap_or(0));
    format!("{:.1} ms", span.as_secs_f64() * 1_000.0)
}

/// True when a channel failed, or none was there; says which.
pub(crate) fn verdict(rows: &[Row]) -> bool {
    let failed: Vec<_> =
        rows.iter().filter(|row| row.outcome.is_err()).map(|row| row.channel.as_str()).collect();
    if rows.is_empty() {
        println!(
            "There was no channel to call: no simulated vendor, no --upstream, and no vendor's variable is set."
        );
        return true;
    }
    println!(
        "{} of {} channels answered; every attempt left one usage record.",
        rows.len() - failed.len(),
        rows.len()
    );
    if !failed.is_empty() {
        println!("FAILED: {}", failed.join(", "));
    }
    println!();
    !failed.is_empty()
}

/// How to go on from here.
pub(crate) fn snippets(address: SocketAddr, stage: &Stage) {
    let url = format!("http://{address}");
    let key = &stage.key;
    let model = stage.channels.first().map_or("gpt-4o-mini", |channel| channel.model.as_str());
    println!(
        "The service is up. Stop it with Ctrl-C.

  URL          {url}/v1
  virtual key  {key}

curl:

curl -N {url}/v1/chat/completions \\
  -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
  -d '{{\"model\":\"{model}\",\"stream\":true,\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'

Python (pip install openai):

from openai import OpenAI
client = OpenAI(base_url=\"{url}/v1\", api_key=\"{key}\")
for chunk in client.chat.completions.create(
    model=\"{model}\", stream=True, messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}]
):
    print(chunk.choices[0].delta.content or \"\", end=\"\", flush=True)

Node (npm install openai; as a .mjs file):

import OpenAI from \"openai\";
const client = new OpenAI({{ baseURL: \"{url}/v1\", apiKey: \"{key}\" }});
const stream = await client.chat.completions.create({{
  model: \"{model}\", stream: true, messages: [{{ role: \"user\", content: \"Hello\" }}],
}});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? \"\");
"
    );
    if let Some(token) = &stage.token {
        println!(
            "The management API, with the administrator's token of this demo (it holds for a day); {url}/docs describes it:

curl {url}/api/v1/channels -H 'Authorization: Bearer {token}'
"
        );
    }
}
