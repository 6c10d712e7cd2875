//! Programs that nobody here wrote: the notification plugins of Debian's
//! crowdsec package. They are unpacked; nothing is installed or started.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Foreign, run};
use crate::command::{command, repository};

pub(super) const CROWDSEC: Foreign = Foreign {
    name: "crowdsec",
    tool: "dpkg-deb",
    version: "--version",
    install: "use Debian, or a system made of it",
    build: unpack,
    fetched: true,
};

/// Where the package has its plugins: http, email, slack, splunk, dummy.
const PLUGINS: &str = "usr/lib/crowdsec/plugins";

/// Unpacks the package, and leaves the plugins alone at the target.
fn unpack(target: &Path) -> Result<(), String> {
    let package = package()?;
    let whole = target.with_extension("tree");
    let io = |error: std::io::Error| format!("{}: {error}", target.display());
    let mut unpack = command("dpkg-deb", &repository());
    let unpacked = run("unpack crowdsec", unpack.arg("--extract").arg(package).arg(&whole))
        .and_then(|()| fs::rename(whole.join(PLUGINS), target).map_err(io));
    fs::remove_dir_all(&whole).map_err(io)?;
    unpacked
}

/// The package, downloaded once: in the version of this machine's Debian, whose
/// signatures apt checks.
fn package() -> Result<PathBuf, String> {
    let cache = cache()?;
    fs::create_dir_all(&cache).map_err(|error| format!("{}: {error}", cache.display()))?;
    if let Some(package) = cached(&cache) {
        return Ok(package);
    }
    // Moved once it is whole: what was broken off must not be found.
    let partial = cache.join("partial");
    fs::create_dir_all(&partial).map_err(|error| format!("{}: {error}", partial.display()))?;
    let download = || {
        let mut apt = command("apt-get", &partial);
        run("download crowdsec", apt.args(["--quiet", "download", "crowdsec"]))
    };
    download().or_else(|_| {
        // Images come without lists of packages; only root can fetch them.
        run("fetch Debian's lists", command("apt-get", &cache).args(["--quiet", "update"]))?;
        download()
    })?;
    let whole = cached(&partial).ok_or("apt-get downloaded nothing")?;
    let package = cache.join(whole.file_name().unwrap_or_default());
    fs::rename(&whole, &package).map_err(|error| format!("{}: {error}", package.display()))?;
    Ok(package)
}

fn cached(cache: &Path) -> Option<PathBuf> {
    let mut files = fs::read_dir(cache).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    files.find(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("crowdsec_") && name.ends_with(".deb")
    })
}

/// Outside of `target`, as the caches of the other tools are.
fn cache() -> Result<PathBuf, String> {
    let user = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let user = user.ok_or("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(user.join("outrigger/debian"))
}
