//! Reads a request: an object whose fields are texts, numbers, and objects of such. What else is in it is
//! skipped.

use std::str::Chars;

/// How deep what is skipped may be nested, so that no request fills the stack.
const DEPTH: usize = 32;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Number(f64),
    /// Fields, in their order; of what is nested deeper none.
    Object(Vec<(String, Value)>),
    /// Anything else.
    Other,
}

/// The fields of an object, in their order; what is wrong with it, if it is none.
pub(crate) fn fields(text: &str) -> Result<Vec<(String, Value)>, &'static str> {
    let mut reader = Reader(text.chars());
    let mut fields = Vec::new();
    reader.object(0, |name, value| fields.push((name, value)))?;
    match reader.peek() {
        None => Ok(fields),
        Some(_) => Err("expected the end of the line after an object"),
    }
}

struct Reader<'a>(Chars<'a>);

impl Reader<'_> {
    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        let rest = self.0.as_str().trim_start_matches([' ', '\t', '\r', '\n']);
        self.0 = rest.chars();
        rest.chars().next()
    }

    fn skip_if(&mut self, char: char) -> bool {
        let is_it = self.peek() == Some(char);
        if is_it {
            self.0.next();
        }
        is_it
    }

    fn object(
        &mut self,
        depth: usize,
        mut field: impl FnMut(String, Value),
    ) -> Result<(), &'static str> {
        if !self.skip_if('{') {
            return Err("expected an object");
        }
        if self.skip_if('}') {
            return Ok(());
        }
        loop {
            self.peek();
            let name = self.text()?;
            if !self.skip_if(':') {
                return Err("expected `:` after the name of a field");
            }
            let value = self.value(depth)?;
            field(name, value);
            if self.skip_if('}') {
                return Ok(());
            }
            if !self.skip_if(',') {
                return Err("expected `,` or `}` after a field");
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), &'static str> {
        self.0.next();
        if self.skip_if(']') {
            return Ok(());
        }
        loop {
            self.value(depth)?;
            if self.skip_if(']') {
                return Ok(());
            }
            if !self.skip_if(',') {
                return Err("expected `,` or `]` after an element");
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, &'static str> {
        if depth == DEPTH {
            return Err("nested too deep");
        }
        match self.peek() {
            Some('"') => return self.text().map(Value::Text),
            Some('{') => {
                let mut fields = Vec::new();
                self.object(depth + 1, |name, value| {
                    if depth == 0 {
                        fields.push((name, value));
                    }
                })?;
                return Ok(Value::Object(fields));
            }
            Some('[') => self.array(depth + 1)?,
            _ => return self.word(),
        }
        Ok(Value::Other)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, &'static str> {
        let rest = self.0.as_str();
        let is_of_word = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
        let end = rest.find(|char| !is_of_word(char)).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.0 = rest.chars();
        match word {
            "true" | "false" | "null" => Ok(Value::Other),
            // Rust knows some more words.
            _ if word.starts_with(|char: char| char.is_ascii_digit() || char == '-') => {
                let number = word.parse().map_err(|_| "expected a number")?;
                Ok(Value::Number(number))
            }
            _ => Err("expected a value"),
        }
    }

    fn text(&mut self) -> Result<String, &'static str> {
        if self.0.next() != Some('"') {
            return Err("expected a text in double quotes");
        }
        let mut text = String::new();
        loop {
            text.push(match self.0.next().ok_or("a text has no end")? {
                '"' => return Ok(text),
                '\\' => self.escape()?,
                char => char,
            });
        }
    }

    fn escape(&mut self) -> Result<char, &'static str> {
        Ok(match self.0.next() {
            Some(char @ ('"' | '\\' | '/')) => char,
            Some('b') => '\x08',
            Some('f') => '\x0c',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.unit()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first).ok_or("half a character");
                }
                let goes_on = self.0.next() == Some('\\') && self.0.next() == Some('u');
                let second = if goes_on { self.unit()? } else { 0 };
                let pair = [first, second].map(|unit| u16::try_from(unit).unwrap_or(0));
                let mut decoded = char::decode_utf16(pair);
                let char = decoded.next().and_then(Result::ok);
                char.ok_or("half a character")?
            }
            _ => return Err("unknown escape in a text"),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, &'static str> {
        (0..4).try_fold(0, |unit, _| {
            let digit = self.0.next().and_then(|char| char.to_digit(16));
            Ok(unit * 16 + digit.ok_or("expected four digits after `\\u`")?)
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_their_order_and_others_skipped() {
        let text = r#" {"get" : "locks","limit":2e2, "x":{"y":[1,{"z":"}"}],"w":null}, "v":true} "#;
        let fields = fields(text).unwrap();
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (&name[..], value))
            .collect();
        let get = Value::Text("locks".to_owned());
        let inner = |name: &str, value| (name.to_owned(), value);
        let object = vec![inner("y", Value::Other), inner("w", Value::Other)];
        let wanted = [
            ("get", &get),
            ("limit", &Value::Number(200.0)),
            ("x", &Value::Object(object)),
            ("v", &Value::Other),
        ];
        assert_eq!(fields, wanted);
        assert_eq!(super::fields("{}"), Ok(vec![]));
    }

    #[test]
    fn escapes_are_read() {
        let fields = fields(r#"{"a":"\ud83e\udd80\u00e9\n\/"}"#).unwrap();
        assert_eq!(fields[0].1, Value::Text("🦀é\n/".to_owned()));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let deep = format!("{{\"a\":{}", "[".repeat(60_000));
        for text in [
            "",
            " ",
            "[]",
            "1",
            "{",
            "{\"",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":}",
            "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\":1 2}",
            "{\"a\":1} x",
            "{a:1}",
            "{\"a\":nan}",
            "{\"a\":inf}",
            "{\"a\":1-2}",
            "{\"a\":[1,]}",
            "{\"a\":[1 2]}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\ud800\\u0041\"}",
            "{\"a\":\"\\udc00\"}",
            "{\"a\":\"\\u12\"}",
            &deep,
        ] {
            assert!(fields(text).is_err(), "{text}");
        }
    }
}
