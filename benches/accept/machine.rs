//! What the machine and its processes say of themselves (Linux, /proc).

use std::{fs, path::Path, process::Command};

/// Seconds of processor time and resident memory of a set of processes.
#[derive(Clone, Copy, Default)]
pub struct Use {
    pub cpu_seconds: f64,
    pub resident_kib: u64,
}

/// Linux counts processor time in hundredths of a second towards programs, on every machine.
const TICKS: f64 = 100.0;

/// What `root` and everything it started have used, children that have ended included. Nothing for 0.
pub fn tree(root: u32) -> Use {
    if root == 0 {
        return Use::default();
    }
    let mut all: Vec<(u32, u32)> = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some((pid, parent)) = pid.and_then(|pid: u32| Some((pid, numbers(pid)?.parent))) {
            all.push((pid, parent));
        }
    }
    let (mut waiting, mut total) = (vec![root], Use::default());
    while let Some(pid) = waiting.pop() {
        if let Some(found) = numbers(pid) {
            total.cpu_seconds += found.ticks as f64 / TICKS;
            total.resident_kib += status(pid, "VmRSS:");
        }
        waiting.extend(all.iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| *child));
    }
    total
}

/// What one process has used by itself.
pub fn alone(pid: u32) -> Use {
    let ticks = numbers(pid).map_or(0, |found| found.own_ticks);
    Use { cpu_seconds: ticks as f64 / TICKS, resident_kib: status(pid, "VmRSS:") }
}

/// Processor seconds of a process's children that have ended.
pub fn ended_children(pid: u32) -> f64 {
    numbers(pid).map_or(0.0, |found| (found.ticks - found.own_ticks) as f64 / TICKS)
}

/// The most memory a process ever had resident, in KiB.
pub fn peak_resident_kib(pid: u32) -> u64 {
    status(pid, "VmHWM:")
}

struct Numbers {
    parent: u32,
    /// User and system time, without and with those of children that have ended.
    own_ticks: u64,
    ticks: u64,
}

fn numbers(pid: u32) -> Option<Numbers> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; what follows is counted from field 3.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let sum = |fields: &[&str]| fields.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    let (own_ticks, ticks) = (sum(fields.get(11..13)?), sum(fields.get(11..15)?));
    Some(Numbers { parent: fields.get(1)?.parse().ok()?, own_ticks, ticks })
}

fn status(pid: u32, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// Cores, processor, memory, kernel and file system, on one line.
pub fn describe(folder: &Path) -> String {
    let processor = first_line_with("/proc/cpuinfo", "model name");
    let memory = first_line_with("/proc/meminfo", "MemTotal");
    let gib =
        memory.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1048576.0;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{cores} cores, {processor}, {gib:.0} GiB memory, Linux {}, {}",
        kernel.trim(),
        said(Command::new("stat").args(["-f", "-c", "%T"]).arg(folder))
    )
}

fn first_line_with(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':')).map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

/// The first line a program prints; empty if it does not run.
pub fn said(command: &mut Command) -> String {
    let output = command.output().map(|done| String::from_utf8_lossy(&done.stdout).into_owned());
    output.unwrap_or_default().lines().next().unwrap_or_default().trim().to_owned()
}
