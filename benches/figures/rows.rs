//! The table and the file.

use serde::Serialize;
use std::path::Path;

/// One figure. Smaller is better for all of them.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: &'static str,
    pub unit: &'static str,
    pub ours: f64,
    /// What nobody could be better than here, measured in the same run; or what was asked for.
    pub limit: f64,
    /// Ours over the limit.
    pub ratio: f64,
    pub runs: usize,
    /// What was asked for.
    pub target: f64,
}

impl Row {
    pub fn new(
        name: &'static str,
        unit: &'static str,
        ours: f64,
        limit: f64,
        runs: usize,
        target: f64,
    ) -> Row {
        Row { name, unit, ours, limit, ratio: ours / limit, runs, target }
    }
}

pub fn print(rows: &[Row]) {
    println!(
        "\n{:<52} {:>9} {:>9} {:>7} {:>9} {:>6}  unit",
        "figure", "ours", "limit", "ratio", "target", "runs"
    );
    for row in rows {
        println!(
            "{:<52} {:>9.1} {:>9.1} {:>7.1} {:>9.1} {:>6}  {}{}",
            row.name,
            row.ours,
            row.limit,
            row.ratio,
            row.target,
            row.runs,
            row.unit,
            if row.ours > row.target { "  (missed)" } else { "" }
        );
    }
}

pub fn write(rows: &[Row]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench.json");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    let text = serde_json::to_string_pretty(rows).expect("JSON");
    std::fs::write(&file, text + "\n").expect("written");
    println!("\nalso in {}", file.display());
}
