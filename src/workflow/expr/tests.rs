//! Tests of templates and conditions against a small tree of contexts.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::source::{Span, Spanned};

/// Contexts from one tree of values.
struct TestContexts {
    tree: Value,
    status: JobStatus,
}

impl Contexts for TestContexts {
    fn lookup(&self, path: &[String]) -> Value {
        self.tree.at(path)
    }

    fn hash_files(&self, patterns: &[String]) -> Result<String, HashFilesError> {
        match patterns {
            [pattern] if pattern == "[" => Err(HashFilesError { message: "`[` is not a pattern".to_owned() }),
            patterns => Ok(format!("hash({})", patterns.join(" "))),
        }
    }

    fn status(&self) -> JobStatus {
        self.status
    }
}

fn known(status: JobStatus) -> TestContexts {
    let json = r#"{
        "env": {"CACHE_DIR": "cache", "COUNT": "2", "EMPTY": ""},
        "github": {"ref": "refs/heads/main", "sha": "abc", "event": {"labels": [{"name": "a"}, {"name": "b"}, {}]}},
        "runner": {"os": "Linux"},
        "steps": {"cache": {"outputs": {"cache-hit": "true", "none": null}, "outcome": "success"}}
    }"#;
    TestContexts { tree: json::read(json).unwrap(), status }
}

fn spanned(text: &str) -> Spanned<String> {
    Spanned::new(text.to_owned(), Span::new(0, text.len()))
}

fn template(text: &str) -> Template {
    Template::unplaced(text).unwrap()
}

fn evaluated(text: &str) -> String {
    template(text).evaluate(&known(JobStatus::Success)).unwrap()
}

fn holds(text: &str, status: JobStatus) -> bool {
    Condition::parse(&spanned(text), text).unwrap().evaluate(&known(status)).unwrap()
}

fn refusal(text: &str) -> String {
    let error = match Template::parse(&spanned(text), text) {
        Ok(template) => template.evaluate(&known(JobStatus::Success)).unwrap_err(),
        Err(error) => error,
    };
    let (span, hint) = (error.span(), error.hint().unwrap_or_default());
    format!("{error}\nat: {}\nhint: {hint}", &text[span.start..span.end])
}

#[test]
fn expressions_evaluate_as_on_github() {
    let cases = [
        ("go-${{ runner.os }}-${{ hashFiles('**/go.sum', 'x') }}", "go-Linux-hash(**/go.sum x)"),
        ("${{ env.CACHE_DIR }}/${{env['COUNT']}}", "cache/2"),
        ("${{ GitHub.Ref }}", "refs/heads/main"),
        ("${{ steps.cache.outputs.cache-hit == 'true' && 'hit' || 'miss' }}", "hit"),
        ("${{ steps.cache.outputs.cache-hit }}", "true"),
        ("${{ steps.other.outputs.x }}", ""),
        ("${{ env.EMPTY || env.COUNT }}", "2"),
        ("${{ env.EMPTY && env.COUNT }}|", "|"),
        ("${{ env.COUNT > 1 }} ${{ env.COUNT >= '10' }}", "true true"),
        ("${{ !env.EMPTY }}", "true"),
        ("${{ 1 == true }} ${{ 'A' == 'a' }} ${{ null == 0 }} ${{ 'x' != 0 }}", "true true true true"),
        ("${{ contains(github.ref, 'MAIN') }}", "true"),
        ("${{ startsWith(github.ref, 'refs/') }} ${{ endsWith(github.ref, 'x') }}", "true false"),
        ("${{ format('{0}-{1}', runner.os, 3) }}", "Linux-3"),
        ("${{ join(github.event.labels.*.name, '+') }}", "a+b"),
        ("${{ join(fromJSON('[1, \"x\", null]')) }}", "1,x,"),
        ("${{ fromJSON('{\"a\": [10, 20]}').a[1] }}", "20"),
        ("${{ github.event.labels[1].name }} ${{ github['event'].labels }}", "b Array"),
        ("${{ toJSON(fromJSON('{\"a\":[1,{}]}')) }}", "{\n  \"a\": [\n    1,\n    {}\n  ]\n}"),
        ("${{ 'it''s }} fine' }}", "it's }} fine"),
        ("${{ secrets.TOKEN }}|${{ vars.X }}|${{ secrets.T == '' }}", "||true"),
        ("${{ job.status }} ${{ success() }} ${{ failure() }}", "success true false"),
        ("${{ case(false, 'a', true, 'b', 'c') }}", "b"),
        ("${{ true }} && ${{ true }}", "true && true"),
        ("$ {{ x }} $}} {{", "$ {{ x }} $}} {{"),
    ];
    for (text, expected) in cases {
        assert_eq!(evaluated(text), expected, "{text}");
    }
}

#[test]
fn a_condition_asks_for_success_unless_it_names_a_status() {
    use JobStatus::{Cancelled, Failure, Success};
    assert!(holds("", Success) && !holds("", Failure));
    assert!(holds("true", Success) && !holds("true", Failure));
    assert!(holds("${{ true }}", Success) && !holds("${{ true }}", Failure));
    assert!(holds("always()", Failure) && holds("always()", Cancelled));
    assert!(holds("failure() && runner.os == 'linux'", Failure) && !holds("failure()", Success));
    assert!(holds("${{ !cancelled() }}", Failure) && !holds("${{ !cancelled() }}", Cancelled));
    assert!(holds("contains(fromJSON('[\"a\"]'), 'a')", Success));
    assert!(!holds("env.EMPTY", Success) && holds("env.COUNT", Success));
    assert!(!holds("${{ false }}\n", Success), "a block text ends in a line break that means nothing");
}

#[test]
fn a_condition_that_mixes_text_and_expressions_holds_whatever_they_say() {
    let mixed = "${{ false }} && ${{ false }}";
    assert!(holds(mixed, JobStatus::Success));
    assert!(!holds(mixed, JobStatus::Failure), "the implied success() stays");
    assert!(holds("${{ always() }} && ${{ false }}", JobStatus::Failure));
    assert!(!holds("${{ env.EMPTY }}${{ env.EMPTY }}", JobStatus::Success), "the empty text is false");
}

#[test]
fn what_cannot_be_evaluated_is_named_with_its_place() {
    assert_snapshot!(refusal("a-${{ env.X == }}"), @r"
    cannot read the expression `env.X ==`: unexpected end of expression
    at: =
    hint:
    ");
    assert_snapshot!(refusal("a-${{ env.X"), @r"
    `${{` is never closed by `}}`
    at: ${{
    hint: close the expression with `}}`
    ");
    assert_snapshot!(refusal("${{ }}"), @r"
    cannot read the expression ``: there is nothing in it
    at:  
    hint:
    ");
    assert_snapshot!(refusal("${{ contains(github.ref, \"main\") }}"), @r#"
    cannot read the expression `contains(github.ref, "main")`: unexpected symbol
    at: "
    hint: expressions quote text with ' and not with "
    "#);
    assert_snapshot!(refusal("${{ main }}"), @r"
    the expression `main` names `main`, which is not a context of GitHub
    at: main
    hint: text needs quotes: 'text'; contexts are env, github, runner, steps, job, inputs
    ");
    assert_snapshot!(refusal("x ${{ matrix.go }}"), @r"
    the expression `matrix.go` needs `matrix`, which is not reproduced
    at: matrix.go
    hint:
    ");
    assert_snapshot!(refusal("${{ needs.a.outputs.b }}"), @r"
    the expression `needs.a.outputs.b` needs `needs`, which is not reproduced
    at: needs.a.outputs.b
    hint:
    ");
    assert_snapshot!(refusal("${{ hashFiles('[') }}"), @r"
    cannot evaluate `hashFiles('[')`: hashFiles: `[` is not a pattern
    at: hashFiles('[')
    hint:
    ");
    assert_snapshot!(refusal("${{ fromJSON('{') }}"), @r"
    cannot evaluate `fromJSON('{')`: fromJSON: EOF while parsing an object at line 1 column 1
    at: fromJSON('{')
    hint:
    ");
    assert_snapshot!(refusal("${{ format('{1}', 1) }}"), @r"
    cannot evaluate `format('{1}', 1)`: format: there is no argument {1} for: {1}
    at: format('{1}', 1)
    hint:
    ");
    assert_snapshot!(refusal("${{ sha256('x') }}"), @r"
    cannot read the expression `sha256('x')`: unknown function: sha256
    at: sha256('x')
    hint:
    ");
    assert_snapshot!(refusal("${{ contains('x') }}"), @r"
    cannot read the expression `contains('x')`: incorrect arguments for function Contains: expected exactly 2 arguments
    at: contains('x')
    hint:
    ");
}

#[test]
fn templates_tell_what_they_mention_and_whether_they_change() {
    let key = template("go-${{ runner.os }}-${{ format('{0}', github['SHA']) }}");
    assert!(mentions(&key, "github.sha") && mentions(&key, "github") && mentions(&key, "format"));
    assert!(!mentions(&key, "github.run_id") && !mentions(&key, "hashFiles"));
    for constant in ["go", "go-${{ runner.os }}-${{ env.V }}", "${{ github.ref_name }}", "${{ inputs.x }}"] {
        assert!(constant_over_runs(&template(constant)), "{constant}");
    }
    for changing in [
        "${{ hashFiles('go.sum') }}",
        "${{ github.sha }}",
        "${{ github.run_id }}",
        "${{ github.RUN_NUMBER }}",
        "${{ github.run_attempt }}",
        "${{ github.event.after }}",
        "${{ toJSON(github) }}",
        "${{ steps.date.outputs.day }}",
        "${{ fromJSON('[1]')[github.run_number] }}",
    ] {
        assert!(!constant_over_runs(&template(changing)), "{changing}");
    }
    assert_eq!(env_names(&template("${{ env.A }}${{ env[env.B] }}")), [Some("A".into()), None, Some("B".into())]);
}

#[test]
fn expressions_as_long_as_github_allows_do_not_exhaust_the_stack() {
    let chain = format!("${{{{ {}1 }}}}", "1&&".repeat(6_990));
    assert_eq!(evaluated(&chain), "1");
    let broken = format!("${{{{ {} }}}}", "1&&".repeat(6_990));
    assert!(matches!(Template::parse(&spanned(&broken), &broken), Err(ExprError::Syntax { .. })));
    let too_long = format!("${{{{ {}1 }}}}", "1&&".repeat(7_000));
    assert!(matches!(Template::parse(&spanned(&too_long), &too_long), Err(ExprError::Syntax { .. })));
}

#[test]
fn texts_that_double_at_every_call_are_stopped() {
    let doubled = (0..45).fold("'0123456789abcdef'".to_owned(), |inner, _| format!("format('{{0}}{{0}}', {inner})"));
    let error = template(&format!("${{{{ {doubled} }}}}")).evaluate(&known(JobStatus::Success)).unwrap_err();
    assert!(matches!(error, ExprError::Evaluation { message, .. } if message.contains("longer than")));
}

proptest! {
    #[test]
    fn a_text_without_expressions_is_its_own_value(text in "\\PC*") {
        prop_assume!(!text.contains("${{"));
        let template = template(&text);
        prop_assert_eq!(template.literal(), Some(text.as_str()));
        prop_assert_eq!(template.evaluate(&known(JobStatus::Success)).unwrap(), text);
    }

    #[test]
    fn any_text_is_parsed_and_evaluated_or_refused(text in "\\PC*", inside in "[a-c0-9.,()'\\[\\]*!&|=<>{} -]{0,40}") {
        for text in [text.clone(), format!("a${{{{{inside}}}}}b"), format!("${{{{{text}}}}}"), inside] {
            if let Ok(template) = Template::parse(&spanned(&text), &text) {
                let _ = template.evaluate(&known(JobStatus::Failure));
            }
            if let Ok(condition) = Condition::parse(&spanned(&text), &text) {
                let _ = condition.evaluate(&known(JobStatus::Success));
            }
        }
    }

    #[test]
    fn expressions_of_known_words_never_panic(words in prop::collection::vec(prop::sample::select(vec![
        "env", ".", "A", "[", "]", "'x'", "0", "-1.5", "&&", "||", "!", "==", "<", ">=", "(", ")", ",", "*", "format",
        "contains", "join", "fromJSON", "toJSON", "'[1,2]'", "'{0}'", "github", "event", "labels", "null", "NaN", "true",
    ]), 0..12)) {
        let text = format!("${{{{ {} }}}}", words.concat());
        if let Ok(template) = Template::parse(&spanned(&text), &text) {
            let _ = template.evaluate(&known(JobStatus::Success));
            let _ = constant_over_runs(&template);
        }
    }

    #[test]
    fn equality_is_symmetric(left in value(), right in value()) {
        prop_assert_eq!(left.loosely_equals(&right), right.loosely_equals(&left));
        let turned = right.loosely_compares(&left).map(std::cmp::Ordering::reverse);
        prop_assert_eq!(left.loosely_compares(&right), turned);
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(Value::Number),
        "[ a-bA-B0-2.xe-]{0,4}".prop_map(Value::String),
        Just(Value::Array(vec![Value::Null])),
    ]
}
