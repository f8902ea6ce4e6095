//! What a message may hold, and Discord's error for what it may not.
//!
//! In: the bytes of a body. Out: the parsed body, or the status and JSON that Discord answers: `code` 50035 with the path
//! of every field at fault, 50006 for a message without anything. Lengths are counted in characters.

use serde_json::{Map, Value, json};

/// Longest `content`.
const CONTENT: usize = 2000;
/// Most embeds of a message.
const EMBEDS: usize = 10;
/// Most characters of all embeds of a message together.
const EMBEDS_TOGETHER: usize = 6000;
/// Most fields of an embed.
const FIELDS: usize = 25;

/// Judges a body.
///
/// # Errors
/// What is answered with status 400.
pub(super) fn judge(bytes: &[u8]) -> Result<Value, Value> {
    let body: Value = serde_json::from_slice(bytes).map_err(
        |_| json!({"message": "The request body contains invalid JSON.", "code": 50109}),
    )?;
    let Value::Object(fields) = &body else {
        return Err(json!({"message": "Invalid Form Body", "code": 50035}));
    };
    let mut faults = Faults::default();
    faults.text(&["content"], fields.get("content"), CONTENT);
    faults.text(&["username"], fields.get("username"), 80);
    let none = Vec::new();
    let embeds = match fields.get("embeds") {
        None | Some(Value::Null) => &none,
        Some(Value::Array(embeds)) => embeds,
        Some(_) => {
            faults.add(
                &["embeds"],
                "LIST_TYPE_CONVERT",
                "Only iterables may be used in a ListType",
            );
            &none
        }
    };
    if embeds.len() > EMBEDS {
        let said = format!("Must be {EMBEDS} or fewer in length.");
        faults.add(&["embeds"], "BASE_TYPE_MAX_LENGTH", &said);
    }
    let together: usize = embeds
        .iter()
        .enumerate()
        .map(|(at, embed)| self::embed(&mut faults, &at.to_string(), embed))
        .sum();
    if together > EMBEDS_TOGETHER {
        let said = format!("Embed size exceeds maximum size of {EMBEDS_TOGETHER}");
        faults.add(&["embeds"], "MAX_EMBED_SIZE_EXCEEDED", &said);
    }
    if !faults.0.is_empty() {
        return Err(json!({"message": "Invalid Form Body", "code": 50035, "errors": faults.0}));
    }
    let has_content = fields
        .get("content")
        .and_then(Value::as_str)
        .is_some_and(|content| !content.trim().is_empty());
    if !has_content && embeds.is_empty() {
        return Err(json!({"message": "Cannot send an empty message", "code": 50006}));
    }
    Ok(body)
}

/// Judges an embed and gives the characters that count towards the sum.
fn embed(faults: &mut Faults, at: &str, embed: &Value) -> usize {
    let text = |name: &str| embed.get(name);
    let mut length = faults.text(&["embeds", at, "title"], text("title"), 256);
    length += faults.text(&["embeds", at, "description"], text("description"), 4096);
    let footer = text("footer").and_then(|footer| footer.get("text"));
    length += faults.text(&["embeds", at, "footer", "text"], footer, 2048);
    let author = text("author").and_then(|author| author.get("name"));
    length += faults.text(&["embeds", at, "author", "name"], author, 256);
    let Some(fields) = text("fields").and_then(Value::as_array) else {
        return length;
    };
    if fields.len() > FIELDS {
        let said = format!("Must be {FIELDS} or fewer in length.");
        faults.add(&["embeds", at, "fields"], "BASE_TYPE_MAX_LENGTH", &said);
    }
    for (number, field) in fields.iter().enumerate() {
        let number = number.to_string();
        for (name, most) in [("name", 256), ("value", 1024)] {
            let path = ["embeds", at, "fields", &number, name];
            let value = field.get(name);
            let counted = faults.text(&path, value, most);
            let is_empty = value
                .and_then(Value::as_str)
                .is_none_or(|text| text.trim().is_empty());
            if is_empty {
                faults.add(&path, "BASE_TYPE_REQUIRED", "This field is required");
            }
            length += counted;
        }
    }
    length
}

/// Errors by path, as Discord nests them.
#[derive(Default)]
struct Faults(Map<String, Value>);

impl Faults {
    /// Judges a text and gives its length in characters.
    fn text(&mut self, path: &[&str], value: Option<&Value>, most: usize) -> usize {
        match value {
            None | Some(Value::Null) => 0,
            Some(Value::String(text)) => {
                let length = text.chars().count();
                if length > most {
                    let said = format!("Must be {most} or fewer in length.");
                    self.add(path, "BASE_TYPE_MAX_LENGTH", &said);
                }
                length
            }
            Some(_) => {
                self.add(
                    path,
                    "STRING_TYPE_CONVERT",
                    "Could not interpret as string.",
                );
                0
            }
        }
    }

    fn add(&mut self, path: &[&str], code: &str, message: &str) {
        let mut here = &mut self.0;
        for name in path {
            let next = here
                .entry((*name).to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(next) = next else { return };
            here = next;
        }
        let said = json!({"code": code, "message": message});
        if let Value::Array(list) = here
            .entry("_errors".to_owned())
            .or_insert_with(|| Value::Array(Vec::new()))
        {
            list.push(said);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &Value) -> Value {
        judge(body.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn a_message_needs_something_to_say() {
        for body in [
            json!({}),
            json!({"content": ""}),
            json!({"embeds": []}),
            json!({"content": " \n"}),
        ] {
            assert_eq!(error(&body)["code"], 50006, "{body}");
        }
        assert!(judge(br#"{"content":"x"}"#).is_ok());
        assert!(judge(br#"{"embeds":[{"title":"x"}]}"#).is_ok());
        assert_eq!(judge(b"{").unwrap_err()["code"], 50109);
    }

    #[test]
    fn every_length_is_held_in_characters() {
        let long = |n: usize| "\u{e9}".repeat(n);
        for (path, most, body) in [
            ("/errors/content", 2000, json!({"content": long(2001)})),
            (
                "/errors/embeds/0/title",
                256,
                json!({"embeds": [{"title": long(257)}]}),
            ),
            (
                "/errors/embeds/0/description",
                4096,
                json!({"embeds": [{"description": long(4097)}]}),
            ),
            (
                "/errors/embeds/0/footer/text",
                2048,
                json!({"embeds": [{"footer": {"text": long(2049)}}]}),
            ),
            (
                "/errors/embeds/0/fields/0/name",
                256,
                json!({"embeds": [{"fields": [{"name": long(257), "value": "x"}]}]}),
            ),
            (
                "/errors/embeds/0/fields/0/value",
                1024,
                json!({"embeds": [{"fields": [{"name": "x", "value": long(1025)}]}]}),
            ),
        ] {
            let told = error(&body);
            let said = told.pointer(path).unwrap()["_errors"][0]["message"].clone();
            assert_eq!(
                said,
                format!("Must be {most} or fewer in length."),
                "{path}"
            );
        }
        assert!(judge(json!({"content": long(2000)}).to_string().as_bytes()).is_ok());
    }

    #[test]
    fn embeds_are_counted_and_summed() {
        let eleven: Vec<Value> = (0..11).map(|_| json!({"title": "x"})).collect();
        assert!(
            error(&json!({"embeds": eleven}))
                .pointer("/errors/embeds/_errors")
                .is_some()
        );
        let two = json!({"embeds": [{"description": "x".repeat(3000)}, {"description": "x".repeat(3001)}]});
        assert_eq!(
            error(&two)["errors"]["embeds"]["_errors"][0]["code"],
            "MAX_EMBED_SIZE_EXCEEDED"
        );
        let field = json!({"name": "x", "value": "y"});
        let fields: Vec<Value> = (0..26).map(|_| field.clone()).collect();
        assert!(
            error(&json!({"embeds": [{"fields": fields}]}))
                .pointer("/errors/embeds/0/fields/_errors")
                .is_some()
        );
        let empty = json!({"embeds": [{"fields": [{"name": "x", "value": ""}]}]});
        assert!(
            error(&empty)
                .pointer("/errors/embeds/0/fields/0/value")
                .is_some()
        );
    }
}
