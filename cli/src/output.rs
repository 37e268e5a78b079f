//! Where a command writes what it has to say: a file, whose ending says in which form, or standard output.

use crate::exit;
use anyhow::{Context as _, Result};
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is made when there is something to write, or standard output.
pub(crate) struct Output {
    path: Option<PathBuf>,
    /// The ending of the file's name, one of those that are known.
    pub(crate) form: Option<&'static str>,
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{path:?}"),
            None => f.write_str("standard output"),
        }
    }
}

impl Output {
    /// For a file with one of these endings.
    pub(crate) fn new(path: Option<&OsStr>, forms: &[&'static str]) -> Result<Self> {
        let Some(path) = path.map(Path::new) else {
            let (path, form) = (None, None);
            return Ok(Self { path, form });
        };
        let ending = path.extension();
        let known = forms.iter().find(|form| ending == Some(OsStr::new(form)));
        let Some(form) = known else {
            let forms: Vec<_> = forms.iter().map(|form| format!("`.{form}`")).collect();
            let (last, others) = forms.split_last().expect("there is a form");
            let others = match others {
                [] => String::new(),
                others => format!("{} or ", others.join(", ")),
            };
            let text = format!("{path:?} is to end in {others}{last}");
            return Err(exit::usage(&text));
        };
        Ok(Self {
            path: Some(path.to_owned()),
            form: Some(form),
        })
    }

    /// Makes the file.
    pub(crate) fn create(&self) -> Result<Box<dyn Write>> {
        let Some(path) = &self.path else {
            return Ok(Box::new(io::stdout()));
        };
        let file = File::create(path).with_context(|| format!("can't write {path:?}"))?;
        Ok(Box::new(file))
    }
}
