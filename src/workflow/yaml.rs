//! Reads YAML into a tree whose every node knows where it stands; [`YamlNode`] is principal.
//!
//! Aliases are replaced by what they name, keys are checked for duplicates (without regard to case, as GitHub does).
//! Nothing here knows what a workflow is, and no type is guessed before somebody asks for it: `on` stays the text `on`.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span as ScanSpan};

use super::expr::{Value, format_number};
use crate::source::{Span, Spanned};

/// Nodes a document may have once its aliases are replaced; far above any workflow, far below trouble.
const MOST_NODES: usize = 200_000;
/// Levels of nesting a document may have once its aliases are replaced.
const DEEPEST: usize = 128;

/// A value in a YAML document.
#[derive(Debug, Clone)]
pub(super) struct YamlNode {
    pub(super) kind: NodeKind,
    pub(super) span: Span,
}

/// The three shapes of a YAML value.
#[derive(Debug, Clone)]
pub(super) enum NodeKind {
    Scalar(Scalar),
    Sequence(Vec<YamlNode>),
    Mapping(Vec<(Spanned<String>, YamlNode)>),
}

/// A YAML scalar before its type is decided.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) plain: bool,
    pub(super) tag: Option<String>,
}

/// Why a text is not a YAML document we accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum YamlProblem {
    Syntax(String),
    DuplicateKey { key: String, first: Span },
    KeyNotText,
    SeveralDocuments,
    TooLarge,
}

impl YamlNode {
    /// Returns the value of a key, compared without regard to case.
    pub(super) fn get(&self, key: &str) -> Option<&YamlNode> {
        self.entries()?.iter().find(|(name, _)| name.value.eq_ignore_ascii_case(key)).map(|(_, node)| node)
    }

    /// Returns the keys and values of a mapping.
    pub(super) fn entries(&self) -> Option<&[(Spanned<String>, YamlNode)]> {
        match &self.kind {
            NodeKind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the text of a scalar as GitHub renders it: `1.20` becomes `1.2`, `~` becomes the empty string.
    pub(super) fn text(&self) -> Option<Spanned<String>> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(Spanned::new(scalar.rendered(), self.span)),
            _ => None,
        }
    }

    /// Tells whether the node is absent in all but name: `env:` with nothing after it.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar(scalar) if scalar.is_null())
    }

    /// Names the shape for messages.
    pub(super) fn shape(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar(_) => "a single value",
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a mapping",
        }
    }
}

impl Scalar {
    fn is_null(&self) -> bool {
        self.plain && self.tag.is_none() && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// Returns the value of the YAML 1.2 core schema.
    pub(super) fn value(&self) -> Value {
        if !self.plain || self.tag.is_some() {
            return Value::String(self.text.clone());
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            text => core_number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
        }
    }

    /// Renders booleans and numbers of the YAML 1.2 core schema as GitHub's runner turns them into strings.
    fn rendered(&self) -> String {
        if !self.plain || self.tag.is_some() {
            return self.text.clone();
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => String::new(),
            "true" | "True" | "TRUE" => "true".to_owned(),
            "false" | "False" | "FALSE" => "false".to_owned(),
            text => core_number(text).map_or_else(|| text.to_owned(), format_number),
        }
    }
}

/// Reads a number of the core schema: decimal, `0x`, `0o`, fraction, exponent, `.inf` and `.nan`.
fn core_number(text: &str) -> Option<f64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| radix(digits, 16.0)).flatten();
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return digits.bytes().all(|byte| (b'0'..b'8').contains(&byte)).then(|| radix(digits, 8.0)).flatten();
    }
    let (sign, body) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    match body {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if body.len() == text.len() => return Some(f64::NAN),
        _ => {}
    }
    let numeric = body.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    let begins = body.bytes().find(|byte| *byte != b'.').is_some_and(|byte| byte.is_ascii_digit());
    if numeric && begins { body.parse::<f64>().ok().map(|number| sign * number) } else { None }
}

fn radix(digits: &str, base: f64) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0.0, |sum, digit| Some(sum * base + f64::from(digit.to_digit(16)?)))
}

/// A collection whose end has not been seen.
struct OpenCollection {
    node: YamlNode,
    anchor: usize,
    key: Option<Spanned<String>>,
    seen: HashMap<String, Span>,
    nodes: usize,
    height: usize,
}

/// A finished node and what it costs to repeat it.
#[derive(Clone)]
struct Done {
    node: YamlNode,
    nodes: usize,
    height: usize,
}

/// Reads one document; an empty text gives an empty scalar.
pub(super) fn read(text: &str) -> Result<YamlNode, (YamlProblem, Span)> {
    let mut builder = Builder::default();
    for step in Parser::new_from_str(text) {
        let (event, at) = step.map_err(|error| {
            let offset = error.marker().byte_offset().unwrap_or(text.len());
            (YamlProblem::Syntax(error.info()), Span::new(offset, offset))
        })?;
        let span = bytes(&at, text);
        builder.take(event, span).map_err(|problem| match problem {
            (problem, Some(elsewhere)) => (problem, elsewhere),
            (problem, None) => (problem, span),
        })?;
    }
    let empty = YamlNode { kind: scalar(String::new(), true, None), span: Span::default() };
    Ok(builder.root.map_or(empty, |done| done.node))
}

fn bytes(at: &ScanSpan, text: &str) -> Span {
    let range = at.byte_range().unwrap_or(0..0);
    Span::new(range.start.min(text.len()), range.end.min(text.len()))
}

fn scalar(text: String, plain: bool, tag: Option<String>) -> NodeKind {
    NodeKind::Scalar(Scalar { text, plain, tag })
}

/// Turns events into a tree without recursion, so that nesting cannot exhaust the stack.
#[derive(Default)]
struct Builder {
    open: Vec<OpenCollection>,
    anchors: HashMap<usize, Done>,
    root: Option<Done>,
    documents: usize,
    nodes: usize,
}

type Refusal = (YamlProblem, Option<Span>);

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Refusal> {
        self.nodes += 1;
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err((YamlProblem::SeveralDocuments, None));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let kind = scalar(text.into_owned(), plain, tag.map(|tag| tag.original()));
                self.finish(Done { node: YamlNode { kind, span }, nodes: 1, height: 1 }, anchor)?;
            }
            Event::Alias(anchor) => {
                let done = self.anchors.get(&anchor).cloned();
                // An alias inside its own anchor has no end; the anchor is not finished yet, so it is not found.
                let done = done.ok_or_else(|| (YamlProblem::Syntax("an alias names its own parent".into()), None))?;
                self.nodes += done.nodes;
                self.finish(done, 0)?;
            }
            Event::SequenceStart(_, anchor, _) => self.begin(NodeKind::Sequence(Vec::new()), span, anchor)?,
            Event::MappingStart(_, anchor, _) => self.begin(NodeKind::Mapping(Vec::new()), span, anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(mut open) = self.open.pop() {
                    open.node.span.end = open.node.span.end.max(span.end);
                    let done = Done { node: open.node, nodes: open.nodes, height: open.height + 1 };
                    self.finish(done, open.anchor)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, kind: NodeKind, span: Span, anchor: usize) -> Result<(), Refusal> {
        if self.open.len() >= DEEPEST {
            return Err((YamlProblem::TooLarge, None));
        }
        self.open.push(OpenCollection {
            node: YamlNode { kind, span },
            anchor,
            key: None,
            seen: HashMap::new(),
            nodes: 1,
            height: 0,
        });
        Ok(())
    }

    /// Hands a finished node to the collection around it.
    fn finish(&mut self, done: Done, anchor: usize) -> Result<(), Refusal> {
        if self.nodes > MOST_NODES || self.open.len() + done.height > DEEPEST {
            return Err((YamlProblem::TooLarge, None));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, done.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(done);
            return Ok(());
        };
        open.nodes += done.nodes;
        open.height = open.height.max(done.height);
        match &mut open.node.kind {
            NodeKind::Sequence(items) => items.push(done.node),
            NodeKind::Mapping(entries) => match open.key.take() {
                Some(key) => entries.push((key, done.node)),
                None => open.key = Some(key(&mut open.seen, done.node)?),
            },
            NodeKind::Scalar(_) => {}
        }
        Ok(())
    }
}

fn key(seen: &mut HashMap<String, Span>, node: YamlNode) -> Result<Spanned<String>, Refusal> {
    let span = node.span;
    let NodeKind::Scalar(scalar) = node.kind else {
        return Err((YamlProblem::KeyNotText, Some(span)));
    };
    match seen.insert(scalar.text.to_ascii_lowercase(), span) {
        Some(first) => Err((YamlProblem::DuplicateKey { key: scalar.text, first }, Some(span))),
        None => Ok(Spanned::new(scalar.text, span)),
    }
}
