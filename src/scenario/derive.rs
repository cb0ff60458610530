//! A healthy workflow for a person's own Dockerfile. [`healthy_workflow`] is principal.

use serde_json::{Map, Value};

use crate::dockerfile::{Dockerfile, DockerfileError, platform_args};

/// Writes a workflow that carries every cache mount of a Dockerfile, built for a platform such as `linux/amd64`, as the
/// README recommends it.
///
/// # Errors
/// A cache mount that BuildKit refuses, or whose variables cannot be known.
pub fn healthy_workflow(dockerfile: &Dockerfile, file: &str, platform: &str) -> Result<String, DockerfileError> {
    let mut map = Map::new();
    let mut seen = Vec::new();
    for mount in dockerfile.cache_mounts(&platform_args(platform))? {
        if let Some(variable) = mount.unresolved.first() {
            return Err(dockerfile.unknown_variable(&mount, variable));
        }
        let identity = mount.identity();
        if seen.contains(&identity) {
            continue;
        }
        seen.push(identity);
        let options = &mount.options;
        let mut entry = Map::new();
        entry.insert("target".to_owned(), options.target.clone().into());
        let given = [("id", &options.id), ("uid", &options.uid), ("gid", &options.gid), ("mode", &options.mode)];
        for (name, value) in given {
            if let Some(value) = value {
                entry.insert(name.to_owned(), value.clone().into());
            }
        }
        map.insert(format!(".buildkit-cache/mount-{}", seen.len()), Value::Object(entry));
    }
    let paths: String = map.keys().map(|path| format!("            {path}\n")).collect();
    let json = format!("{:#}", Value::Object(map));
    let json: String = json.lines().map(|line| format!("            {line}\n")).collect();
    Ok(format!(
        "name: derived
on: push
env:
  cache_version: v1
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/setup-buildx-action@v3
        id: buildx
      - uses: actions/cache@v4
        id: cache
        with:
          path: |
{paths}          key: ${{{{ env.cache_version }}}}-${{{{ runner.os }}}}-${{{{ hashFiles('**/go.sum') }}}}-${{{{ github.sha }}}}
          restore-keys: |
            ${{{{ env.cache_version }}}}-${{{{ runner.os }}}}-${{{{ hashFiles('**/go.sum') }}}}-
            ${{{{ env.cache_version }}}}-${{{{ runner.os }}}}-
      - uses: reproducible-containers/buildkit-cache-dance@v3.3.2
        with:
          builder: ${{{{ steps.buildx.outputs.name }}}}
          cache-map: |
{json}          skip-extraction: ${{{{ steps.cache.outputs.cache-hit }}}}
      - uses: docker/build-push-action@v6
        with:
          context: .
          file: {file}
          push: false
"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::JobPlan;
    use crate::source::Source;
    use crate::workflow::Workflow;

    #[test]
    fn the_derived_workflow_names_every_mount_once_with_its_id() {
        let text = "FROM golang AS build\n\
                    RUN --mount=type=cache,id=mod,target=/go/pkg/mod go mod download\n\
                    RUN --mount=type=cache,id=mod,target=/go/pkg/mod --mount=type=cache,target=/c,uid=5 go build\n";
        let dockerfile = Dockerfile::parse(&Source::new("Dockerfile", text)).unwrap();
        let text = healthy_workflow(&dockerfile, "Dockerfile", "linux/amd64").unwrap();
        let workflow = Workflow::parse(&Source::new("derived", text)).unwrap();
        let plan = JobPlan::new(&workflow, workflow.job(None).unwrap()).unwrap();
        let map = plan.steps[3].input("cache-map").and_then(|map| map.literal()).unwrap();
        let map: Value = serde_json::from_str(map).unwrap();
        assert_eq!(
            map,
            serde_json::json!({
                ".buildkit-cache/mount-1": { "target": "/go/pkg/mod", "id": "mod" },
                ".buildkit-cache/mount-2": { "target": "/c", "uid": "5" },
            })
        );
    }

    #[test]
    fn a_mounts_platform_is_the_engines_and_a_variable_that_nobody_knows_is_refused() {
        let derived = |text: &str| {
            let dockerfile = Dockerfile::parse(&Source::new("Dockerfile", text)).unwrap();
            healthy_workflow(&dockerfile, "Dockerfile", "linux/arm64")
        };
        let mount = "RUN --mount=type=cache,id=mod-$TARGETARCH,target=/go/pkg/mod go build\n";
        let text = derived(&format!("FROM golang\nARG TARGETARCH\n{mount}")).unwrap();
        assert!(text.contains("\"id\": \"mod-arm64\""), "{text}");
        let error = derived(&format!("FROM golang\n{mount}")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("Dockerfile:2: this cache mount needs $TARGETARCH, which the file does not set: {}", mount.trim())
        );
        assert!(error.hint().unwrap().contains("ARG TARGETARCH"));
    }
}
