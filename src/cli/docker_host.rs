//! Where the engine is, as the docker CLI finds it: DOCKER_HOST, contexts, TLS. [`find`] is principal.
//!
//! Order and files: docker/cli `cli/command/cli.go` (`resolveContextName`) and `cli/context/store`. Where none of these says
//! anything, it also looks at the sockets of rootless Docker and of desktop programs, which their own set-ups put behind a context.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::problem::CliProblem;
use crate::engine::ClientFiles;
use crate::suggest::did_you_mean;

/// What the environment says.
#[derive(Debug, Clone, Default)]
pub(super) struct DockerSettings {
    host: Option<String>,
    context: Option<String>,
    /// DOCKER_TLS or DOCKER_TLS_VERIFY is set.
    tls: bool,
    certificates: Option<PathBuf>,
    /// The folder of docker's own configuration.
    config: Option<PathBuf>,
    home: Option<PathBuf>,
    runtime: Option<PathBuf>,
}

/// A place where an engine may be, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EnginePlace {
    pub(super) address: String,
    pub(super) tls: Option<ClientFiles>,
    pub(super) why: String,
}

impl DockerSettings {
    /// Reads the environment.
    pub(super) fn of_environment() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = path("HOME");
        Self {
            host: text("DOCKER_HOST"),
            context: text("DOCKER_CONTEXT"),
            tls: text("DOCKER_TLS_VERIFY").is_some() || text("DOCKER_TLS").is_some(),
            certificates: path("DOCKER_CERT_PATH"),
            config: path("DOCKER_CONFIG").or_else(|| home.as_ref().map(|home| home.join(".docker"))),
            home,
            runtime: path("XDG_RUNTIME_DIR"),
        }
    }
}

/// Lists where to look for the engine, in order.
///
/// # Errors
/// When a context is asked for that is not there or cannot be read: another engine than that must not be used.
pub(super) fn find(settings: &DockerSettings) -> Result<Vec<EnginePlace>, CliProblem> {
    if let Some(address) = &settings.host {
        let folder = settings.certificates.clone().or_else(|| settings.config.clone());
        let tls = folder.filter(|_| settings.tls && !local(address)).map(|folder| files_in(&folder));
        return Ok(vec![EnginePlace { address: address.clone(), tls, why: "DOCKER_HOST".to_owned() }]);
    }
    let (name, why) = match &settings.context {
        Some(name) => (Some(name.clone()), "DOCKER_CONTEXT"),
        None => (current_context(settings), "the current context of docker"),
    };
    if let Some(name) = name.filter(|name| name != "default") {
        return Ok(vec![of_context(settings, &name, why)?]);
    }
    let usual = "/var/run/docker.sock";
    let mut places = vec![(PathBuf::from(usual), "the usual socket")];
    places.extend(settings.runtime.iter().map(|dir| (dir.join("docker.sock"), "rootless Docker")));
    for (inside, whose) in DESKTOP {
        places.extend(settings.home.iter().map(|home| (home.join(inside), whose)));
    }
    places.retain(|(path, _)| path.as_path() == Path::new(usual) || path.exists());
    let place = |(path, why): (PathBuf, &str)| EnginePlace {
        address: format!("unix://{}", path.display()),
        tls: None,
        why: why.to_owned(),
    };
    Ok(places.into_iter().map(place).collect())
}

/// Sockets below a home directory, and whose they are.
const DESKTOP: [(&str, &str); 6] = [
    (".docker/run/docker.sock", "Docker Desktop"),
    (".docker/desktop/docker.sock", "Docker Desktop"),
    (".orbstack/run/docker.sock", "OrbStack"),
    (".colima/default/docker.sock", "Colima"),
    (".rd/docker.sock", "Rancher Desktop"),
    (".lima/docker/sock/docker.sock", "Lima"),
];

fn local(address: &str) -> bool {
    address.starts_with("unix://") || address.starts_with("ssh://")
}

fn files_in(folder: &Path) -> ClientFiles {
    ClientFiles { ca: folder.join("ca.pem"), cert: folder.join("cert.pem"), key: folder.join("key.pem") }
}

/// The context that docker's configuration names. One that cannot be read names none, as for docker itself.
fn current_context(settings: &DockerSettings) -> Option<String> {
    let text = fs::read_to_string(settings.config.as_ref()?.join("config.json")).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    value["currentContext"].as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

fn of_context(settings: &DockerSettings, name: &str, why: &str) -> Result<EnginePlace, CliProblem> {
    let store = settings.config.clone().unwrap_or_default().join("contexts");
    let hash: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = store.join("meta").join(&hash).join("meta.json");
    let refused = |what: String| {
        let known = contexts(&store);
        let known: Vec<&str> = known.iter().map(String::as_str).chain(["default"]).collect();
        let hint = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| {
            format!("the contexts are {}; `docker context use default` chooses the local engine", known.join(", "))
        });
        CliProblem::stopped(format!("docker context `{name}` ({why}) {what}")).hint(Some(hint))
    };
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => refused("is not there".to_owned()),
        _ => refused(format!("cannot be read: {}: {error}", path.display())),
    })?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| refused(format!("cannot be read: {}: {error}", path.display())))?;
    let address = value["Endpoints"]["docker"]["Host"].as_str();
    let address = address.ok_or_else(|| refused("names no docker endpoint".to_owned()))?.to_owned();
    let folder = store.join("tls").join(&hash).join("docker");
    let tls = folder.is_dir().then(|| files_in(&folder));
    Ok(EnginePlace { address, tls, why: format!("docker context `{name}`, {why}") })
}

/// The names of all contexts.
fn contexts(store: &Path) -> Vec<String> {
    let entries = fs::read_dir(store.join("meta")).into_iter().flatten().flatten();
    let name = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path().join("meta.json")).ok()?;
        let value: serde_json::Value = serde_json::from_str(&text).ok()?;
        value["Name"].as_str().map(str::to_owned)
    };
    let mut names: Vec<String> = entries.filter_map(name).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings of a home with a context of this name and endpoint.
    fn home(name: &str, address: &str) -> (DockerSettings, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let hash: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let meta = dir.path().join(".docker/contexts/meta").join(&hash);
        fs::create_dir_all(&meta).unwrap();
        let text = serde_json::json!({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": address, "SkipTLSVerify": false}}});
        fs::write(meta.join("meta.json"), text.to_string()).unwrap();
        let home = Some(dir.path().to_owned());
        (DockerSettings { config: Some(dir.path().join(".docker")), home, ..DockerSettings::default() }, dir)
    }

    fn found(settings: &DockerSettings) -> Vec<(String, String)> {
        find(settings).unwrap().into_iter().map(|place| (place.address, place.why)).collect()
    }

    #[test]
    fn the_variable_comes_before_the_contexts_and_these_before_the_sockets() {
        let (mut settings, dir) = home("far", "ssh://me@far");
        assert_eq!(found(&settings), [("unix:///var/run/docker.sock".to_owned(), "the usual socket".to_owned())]);
        fs::write(dir.path().join(".docker/config.json"), r#"{"currentContext": "far"}"#).unwrap();
        assert_eq!(found(&settings)[0].0, "ssh://me@far");
        settings.context = Some("default".to_owned());
        assert_eq!(found(&settings)[0].0, "unix:///var/run/docker.sock");
        settings.host = Some("tcp://1.2.3.4:2375".to_owned());
        assert_eq!(found(&settings), [("tcp://1.2.3.4:2375".to_owned(), "DOCKER_HOST".to_owned())]);
    }

    #[test]
    fn a_context_that_is_not_there_is_no_reason_to_use_another_engine() {
        let (mut settings, _dir) = home("build-farm", "tcp://farm:2376");
        settings.context = Some("build-farn".to_owned());
        let (message, hint) = find(&settings).unwrap_err().into_words();
        assert_eq!(message, "docker context `build-farn` (DOCKER_CONTEXT) is not there");
        assert_eq!(hint.as_deref(), Some("did you mean build-farm?"));
    }

    #[test]
    fn the_certificates_are_those_of_the_context_or_of_the_variable() {
        let (mut settings, dir) = home("farm", "tcp://farm:2376");
        let hash: String = Sha256::digest(b"farm").iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = dir.path().join(".docker/contexts/tls").join(hash).join("docker");
        fs::create_dir_all(&folder).unwrap();
        settings.context = Some("farm".to_owned());
        assert_eq!(
            find(&settings).unwrap()[0].tls.as_ref().map(|files| files.key.clone()),
            Some(folder.join("key.pem"))
        );
        settings.host = Some("tcp://farm:2376".to_owned());
        assert_eq!(find(&settings).unwrap()[0].tls, None);
        (settings.tls, settings.certificates) = (true, Some(PathBuf::from("/certs")));
        assert_eq!(
            find(&settings).unwrap()[0].tls.as_ref().map(|files| files.ca.clone()),
            Some("/certs/ca.pem".into())
        );
    }

    #[test]
    fn sockets_of_rootless_and_desktop_engines_are_found_where_they_are() {
        let (mut settings, dir) = home("x", "tcp://x:1");
        let socket = dir.path().join(".colima/default");
        fs::create_dir_all(&socket).unwrap();
        fs::write(socket.join("docker.sock"), "").unwrap();
        settings.runtime = Some(dir.path().to_owned());
        fs::write(dir.path().join("docker.sock"), "").unwrap();
        let whose: Vec<String> = found(&settings).into_iter().map(|(_, why)| why).collect();
        assert_eq!(whose, ["the usual socket", "rootless Docker", "Colima"]);
    }
}
