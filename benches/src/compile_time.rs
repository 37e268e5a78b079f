//! What it costs to compile: a clean build of lockutils beside the peers that have an
//! attribute too, a thousand functions with the attribute and without, and a clean build of each server's
//! crate beside its client alone.
//!
//! Each is a project in a directory of its own, with a target directory of its own, built
//! by Cargo, without the network once all is fetched. The rounds are interleaved, as those
//! of the other benches. CPU time is what all processes of the build took together.

use crate::figure;
use crate::machine;
use crate::measure::{self, median};
use crate::target::{self, Reach, Target, Unit};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const FUNCTIONS: u32 = 1000;

/// The parts of the report, which `--only` chooses from.
const PARTS: [(&str, Part); 3] = [
    ("attributes", attributes),
    ("functions", functions_of_users),
    ("servers", servers),
];

/// Measures so many rounds, and tells what was reached. Gives the text above that.
type Part = fn(usize, &mut Vec<Target>) -> Result<String, String>;

/// Prints the report.
pub(crate) fn run(rounds: usize, only: &str) -> Result<(), String> {
    let load_at_start = machine::load();
    let (mut targets, mut text) = (Vec::new(), String::new());
    for (_, measure) in PARTS.iter().filter(|(name, _)| name.contains(only)) {
        text += &measure(rounds, &mut targets)?;
    }
    if targets.is_empty() {
        let names = PARTS.map(|(name, _)| name).join("`, `");
        return Err(format!(
            "nothing has `{only}` in its name; there are `{names}`"
        ));
    }
    print!("{}", machine::facts(&load_at_start));
    println!("\nThe median of {rounds} interleaved rounds, with nothing built before.\n\n{text}");
    print!("{}", target::render(&targets));
    Ok(())
}

/// The crate beside the peers that have an attribute too.
fn attributes(rounds: usize, targets: &mut Vec<Target>) -> Result<String, String> {
    let peers = [
        ("lockutils", LOCKUTILS),
        ("tracing with attributes", TRACING),
        ("serial_test", "serial_test = \"3\""),
    ];
    let peers = peers.map(|(name, dependency)| Project::new(name, dependency, ""));
    let peers = peers.into_iter().collect::<Result<Vec<_>, _>>()?;
    let table = compare_builds(&peers, rounds, targets)?;
    let versions: Vec<_> = peers.iter().skip(1).map(Project::version).collect();
    Ok(format!("Compared with {}.\n\n{table}", versions.join(", ")))
}

/// What uses the crate, beside what uses `tracing`, and neither.
fn functions_of_users(rounds: usize, targets: &mut Vec<Target>) -> Result<String, String> {
    let crates = [
        ("with", LOCKUTILS, Some(SYNCHRONIZED)),
        ("tracing", TRACING, Some(INSTRUMENT)),
        ("without", "", None),
    ];
    let crates = crates.map(|(name, dependency, attributes)| {
        Project::new(name, dependency, &functions(attributes))
    });
    let crates = crates.into_iter().collect::<Result<Vec<_>, _>>()?;
    compare_functions(&crates, rounds, targets)?;
    Ok(String::new())
}

/// The crate of each server beside the client that it uses, with the features that it uses.
fn servers(rounds: usize, targets: &mut Vec<Target>) -> Result<String, String> {
    let engines = [
        ("postgres", &["tokio-postgres"][..]),
        ("etcd", &["tonic", "tonic-prost", "prost"]),
        ("redis", &["redis"]),
    ];
    for (engine, client) in engines {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../backends");
        let manifest = fs::read_to_string(format!("{root}/{engine}/Cargo.toml"));
        let manifest = manifest.map_err(|error| error.to_string())?;
        let of_client: Vec<_> = dependencies(&manifest, client).collect();
        let ours = format!("lockutils-{engine} = {{ path = \"{root}/{engine}\" }}");
        let projects = [
            Project::new(engine, &ours, "")?,
            Project::new(client[0], &of_client.join("\n"), "")?,
        ];
        let costs = interleaved(&projects, rounds, |project| project.clean_build(&["build"]))?;
        let [ours, alone] = [&costs[0], &costs[1]].map(|costs| each(costs, Cost::cpu));
        let more: Vec<_> = ours.iter().zip(&alone).map(|(a, b)| a - b).collect();
        targets.push(Target {
            what: format!(
                "clean build, debug, CPU: lockutils-{engine}, beyond its client alone ({})",
                projects[1].version()
            ),
            reach: Reach::AtMost(5000.0, Unit::Milliseconds),
            measured: median(&more) / 1e6,
            details: figure::compared(&ours, &alone),
        });
    }
    Ok(String::new())
}

/// The lines of a manifest that say how these are depended on.
fn dependencies<'a>(manifest: &'a str, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let (_, dependencies) = manifest
        .split_once("\n[dependencies]\n")
        .unwrap_or_default();
    let dependencies = dependencies
        .lines()
        .take_while(|line| !line.starts_with('['));
    dependencies.filter(|line| names.contains(&line.split(' ').next().unwrap_or_default()))
}

/// Builds each of them from nothing. Gives the rows of the table.
fn compare_builds(
    peers: &[Project],
    rounds: usize,
    targets: &mut Vec<Target>,
) -> Result<String, String> {
    let mut table = String::from(
        "| clean build | lockutils | tracing with attributes | serial_test |\n\
         | --- | ---: | ---: | ---: |\n",
    );
    for (profile, args, reach) in [
        ("debug", &["build"][..], 1.3),
        ("release", &["build", "--release"], 1.6),
    ] {
        let costs = interleaved(peers, rounds, |project| project.clean_build(args))?;
        for (what, of) in [("wall", Cost::wall as fn(&Cost) -> f64), ("CPU", Cost::cpu)] {
            let times: Vec<_> = costs.iter().map(|costs| each(costs, of)).collect();
            write!(table, "| {profile}, {what} |").expect("a string takes all");
            for times in &times {
                let (time, noise) = (median(times), measure::noise(times));
                let (time, noise) = (figure::time(time), figure::spread(noise));
                write!(table, " {time} {noise} |").expect("a string takes all");
            }
            table.push('\n');
            targets.push(Target {
                what: format!("clean build, {profile}, {what}: lockutils / tracing"),
                reach: Reach::AtMost(reach, Unit::Times),
                measured: measure::ratio(&times[0], &times[1]),
                details: figure::compared(&times[0], &times[1]),
            });
        }
    }
    Ok(table)
}

/// Compiles the functions with the attributes and without, over and over.
fn compare_functions(
    crates: &[Project],
    rounds: usize,
    targets: &mut Vec<Target>,
) -> Result<(), String> {
    for args in [&["check"][..], &["build"]] {
        let costs = interleaved(crates, rounds, |project| project.rebuild(args))?;
        let [ours, tracing, without] = [0, 1, 2].map(|of| each(&costs[of], Cost::cpu));
        let beyond = |with: &[f64]| -> Vec<_> {
            let more = with.iter().zip(&without).map(|(a, b)| a - b);
            more.map(|all| all / f64::from(FUNCTIONS)).collect()
        };
        let (attribute, instrument) = (beyond(&ours), beyond(&tracing));
        let what = format!(
            "`cargo {}` of {FUNCTIONS} functions: the attribute",
            args[0]
        );
        targets.push(Target {
            what: format!("{what}, CPU a function"),
            reach: Reach::AtMost(0.25, Unit::Milliseconds),
            measured: median(&attribute) / 1e6,
            details: figure::compared(&ours, &without),
        });
        targets.push(Target {
            what: format!("{what} / `tracing::instrument`"),
            reach: Reach::AtMost(0.2, Unit::Times),
            measured: measure::ratio(&attribute, &instrument),
            details: figure::compared(&attribute, &instrument),
        });
    }
    Ok(())
}

/// This repository's own.
const LOCKUTILS: &str = concat!(
    "lockutils = { path = \"",
    env!("CARGO_MANIFEST_DIR"),
    "/../runtime\" }"
);

const TRACING: &str = "tracing = \"0.1\"";

/// The attributes that the functions have in turn.
type Attributes = [&'static str; 4];

const SYNCHRONIZED: Attributes = [
    "#[lockutils::synchronized(key = id)]",
    "#[lockutils::synchronized(\"vm-{id}\")]",
    "#[lockutils::synchronized(key = (name, id))]",
    "#[lockutils::synchronized]",
];
const INSTRUMENT: Attributes = ["#[tracing::instrument]"; 4];

/// The source of functions like those of a service, every second one async.
fn functions(attributes: Option<Attributes>) -> String {
    let mut source = String::new();
    for number in 0..FUNCTIONS {
        let attribute = attributes.map_or("", |list| list[number as usize % list.len()]);
        let asyncness = if number % 2 == 0 { "" } else { "async " };
        writeln!(
            source,
            "{attribute}\npub {asyncness}fn call_{number}(name: &str, id: u32) -> usize {{\n    \
                 let length = name.len();\n    \
                 length + id as usize + {number}\n\
             }}"
        )
        .expect("a string takes all");
    }
    source
}

/// A package that is built, and removed with all that was.
struct Project {
    name: &'static str,
    directory: TempDir,
}

impl Project {
    fn new(name: &'static str, dependency: &str, source: &str) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let manifest = format!(
            "[package]\nname = \"project\"\nedition = \"2024\"\n\n\
             [workspace]\n\n[dependencies]\n{dependency}\n"
        );
        let write = |path: &str, text: &str| {
            let path = directory.path().join(path);
            fs::write(&path, text).map_err(|error| format!("cannot write the project: {error}"))
        };
        fs::create_dir(directory.path().join("src")).map_err(|error| error.to_string())?;
        write("Cargo.toml", &manifest)?;
        write("src/lib.rs", source)?;
        let project = Self { name, directory };
        project.cargo(&["fetch"])?;
        Ok(project)
    }

    /// Builds with nothing there.
    fn clean_build(&self, args: &[&str]) -> Result<Cost, String> {
        let target = self.target();
        if target.exists() {
            fs::remove_dir_all(&target).map_err(|error| error.to_string())?;
        }
        self.cargo(&[args, &["--offline"]].concat())
    }

    /// Builds the package, with all its dependencies there.
    fn rebuild(&self, args: &[&str]) -> Result<Cost, String> {
        let args = [args, &["--offline"]].concat();
        self.cargo(&args)?;
        self.cargo(&["clean", "--offline", "--package", "project"])?;
        self.cargo(&args)
    }

    fn cargo(&self, args: &[&str]) -> Result<Cost, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(args).arg("--quiet");
        command.current_dir(self.directory.path());
        command.env("CARGO_TARGET_DIR", self.target());
        // So that what is measured isn't of some setting of who runs this.
        command
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS");
        command.env_remove("CARGO_PROFILE_DEV_DEBUG");
        let (start, cpu) = (Instant::now(), cpu_of_children());
        let output = command.output().map_err(|error| error.to_string())?;
        let (wall, cpu) = (start.elapsed(), cpu_of_children().saturating_sub(cpu));
        if output.status.success() {
            return Ok(Cost { wall, cpu });
        }
        let (name, args) = (self.name, args.join(" "));
        let error = String::from_utf8_lossy(&output.stderr);
        Err(format!("`cargo {args}` failed for {name}: {error}"))
    }

    fn target(&self) -> PathBuf {
        self.directory.path().join("target")
    }

    /// What was built, from the lock file of the project.
    fn version(&self) -> String {
        let lockfile = fs::read_to_string(self.directory.path().join("Cargo.lock"));
        let lockfile = lockfile.unwrap_or_default();
        let name = self.name.split(' ').next().unwrap_or_default();
        let first_line = format!("name = \"{name}\"\nversion = \"");
        let version = lockfile.split_once(&first_line);
        let version = version.and_then(|(_, rest)| rest.split('"').next());
        format!("{name} {}", version.unwrap_or("unknown"))
    }
}

struct Cost {
    wall: Duration,
    cpu: Duration,
}

impl Cost {
    /// In nanoseconds, as all times of the benches.
    fn wall(&self) -> f64 {
        self.wall.as_secs_f64() * 1e9
    }

    fn cpu(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e9
    }
}

fn each(costs: &[Cost], of: fn(&Cost) -> f64) -> Vec<f64> {
    costs.iter().map(of).collect()
}

/// The costs of each project, by round.
fn interleaved(
    projects: &[Project],
    rounds: usize,
    build: impl Fn(&Project) -> Result<Cost, String>,
) -> Result<Vec<Vec<Cost>>, String> {
    let mut costs: Vec<_> = projects.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (project, costs) in projects.iter().zip(&mut costs) {
            costs.push(build(project)?);
        }
    }
    Ok(costs)
}

/// What the processes that this one started and waited for took, with theirs; nothing
/// where the system doesn't say.
fn cpu_of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    cpu_in(&stat)
}

/// From `/proc/self/stat`, which counts in hundredths of a second.
fn cpu_in(stat: &str) -> Duration {
    // The second field is the program's name, in parentheses, with any text in it.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks = fields.split(' ').skip(13).take(2);
    let ticks = ticks.filter_map(|ticks| ticks.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_that_of_the_children() {
        let stat = "7 (a) b) R 1 2 3 4 5 6 7 8 9 10 11 12 200 50 20 0";
        assert_eq!(cpu_in(stat), Duration::from_millis(2500));
        assert_eq!(cpu_in(""), Duration::ZERO);
    }

    #[test]
    fn client_is_as_the_manifest_has_it() {
        let manifest = "[features]\nredis = []\n\n[dependencies]\nredis = \"1\"\nredis-more = \"2\"\n\n\
                        [dev-dependencies]\nredis = \"3\"\n";
        let lines: Vec<_> = dependencies(manifest, &["redis"]).collect();
        assert_eq!(lines, ["redis = \"1\""]);
    }

    #[test]
    fn functions_have_the_attribute_or_not() {
        let count = |attributes| functions(attributes).matches("#[").count();
        assert_eq!((count(Some(SYNCHRONIZED)), count(None)), (1000, 0));
    }
}
