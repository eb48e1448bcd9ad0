//! Tools that callers run themselves and whose schemas the vendor's own models know by heart. Their inputs are those of
//! the pages "Bash tool", "Text editor tool", "Memory tool" and "Computer use tool"; told as plain functions, any model
//! can call them.

pub(super) struct Known {
    prefix: &'static str,
    /// Where the caller gives none.
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) schema: &'static str,
}

pub(super) fn find(kind: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| kind.starts_with(known.prefix))
}

const KNOWN: [Known; 4] = [
    Known {
        prefix: "bash_",
        name: "bash",
        description: "Runs a command in a persistent bash session and returns what it prints.",
        schema: r#"{"type":"object","properties":{"command":{"type":"string","description":"The command to run; left out only when restarting."},"restart":{"type":"boolean","description":"True to start the session anew."}}}"#,
    },
    Known {
        prefix: "text_editor_",
        name: "str_replace_based_edit_tool",
        description: "Views, creates and edits text files. `view` shows a file with line numbers or lists a folder; \
            `create` writes a whole file; `str_replace` replaces the one place where a text stands; `insert` adds text \
            behind a line.",
        schema: r#"{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert"]},"path":{"type":"string","description":"The file or folder."},"view_range":{"type":"array","items":{"type":"integer"},"description":"For `view`: first and last line, counted from 1; -1 for the end."},"file_text":{"type":"string","description":"For `create`: the file's content."},"old_str":{"type":"string","description":"For `str_replace`: the text to be replaced, exactly as it stands."},"new_str":{"type":"string","description":"For `str_replace`: what takes its place."},"insert_line":{"type":"integer","description":"For `insert`: the line to insert behind; 0 for the beginning."},"insert_text":{"type":"string","description":"For `insert`: the text to insert."}},"required":["command","path"]}"#,
    },
    Known {
        prefix: "memory_",
        name: "memory",
        description: "Keeps notes in files below `/memories` that last beyond this conversation. Look into the folder \
            before starting to work, and write down what will be needed later.",
        schema: r#"{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert","delete","rename"]},"path":{"type":"string","description":"A file or folder below `/memories`."},"view_range":{"type":"array","items":{"type":"integer"},"description":"For `view`: first and last line."},"file_text":{"type":"string","description":"For `create`: the file's content."},"old_str":{"type":"string","description":"For `str_replace`: the text to be replaced."},"new_str":{"type":"string","description":"For `str_replace`: what takes its place."},"insert_line":{"type":"integer","description":"For `insert`: the line to insert behind."},"insert_text":{"type":"string","description":"For `insert`: the text to insert."},"old_path":{"type":"string","description":"For `rename`: from."},"new_path":{"type":"string","description":"For `rename`: to."}},"required":["command"]}"#,
    },
    Known {
        prefix: "computer_20",
        name: "computer",
        description: "Uses a computer by its screen, mouse and keyboard. Take a screenshot to see what an action did.",
        schema: r#"{"type":"object","properties":{"action":{"type":"string","enum":["screenshot","cursor_position","mouse_move","left_click","right_click","middle_click","double_click","triple_click","left_click_drag","left_mouse_down","left_mouse_up","scroll","type","key","hold_key","wait","zoom"]},"coordinate":{"type":"array","items":{"type":"integer"},"description":"x and y in pixels from the upper left corner."},"start_coordinate":{"type":"array","items":{"type":"integer"},"description":"Where a drag begins."},"text":{"type":"string","description":"What to type, or the keys to press, such as `ctrl+s`."},"scroll_direction":{"type":"string","enum":["up","down","left","right"]},"scroll_amount":{"type":"integer","description":"Clicks of the wheel."},"duration":{"type":"number","description":"Seconds to hold a key or to wait."},"region":{"type":"array","items":{"type":"integer"},"description":"For `zoom`: x and y of two corners."}},"required":["action"]}"#,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_are_json_and_the_prefixes_meet_the_types() {
        for (kind, name) in [
            ("bash_20250124", "bash"),
            ("text_editor_20250728", "str_replace_based_edit_tool"),
            ("memory_20250818", "memory"),
            ("computer_20251124", "computer"),
        ] {
            let known = find(kind).unwrap();
            assert_eq!(known.name, name);
            let schema: serde_json::Value = serde_json::from_str(known.schema).unwrap();
            assert_eq!(schema["type"], "object");
        }
        assert!(find("computer_toolset_20260801").is_none() && find("web_search_20250305").is_none());
    }
}
