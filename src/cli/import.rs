//! `import services FILE…`: takes the sheets a city publishes into the directory.

use std::{
    fs::File,
    io::{Read as _, Write},
    path::{Path, PathBuf},
};

use anyhow::anyhow;

use crate::{
    domain::language::Language,
    usecases::{
        Context,
        import::{ImportError, Imported, import},
        sheet::{BadSheet, Refusal},
    },
};

/// 公表データを取り込む / Import published data
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum What {
    /// 横浜市「保育所等の入所状況」のCSV（同じ時点の1～3ファイル）を取り込む
    /// / Import Yokohama's sheets on places in nurseries (one to three files of one day)
    Services {
        /// 受入可能数・入所待ち人数・入所児童数のCSV（UTF-8またはShift_JIS） / The CSV files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// The largest file that is read: the city's have some 100 kB.
const LARGEST: u64 = 16 << 20;

/// Runs the command; what it has to say goes to `out`. The last line has one form in all languages:
/// `rows_read=3690 facilities=1230 created=1230 changed=0 unchanged=0 refused=0`, where `refused` counts
/// the rows and facilities that were told above it.
///
/// # Errors
/// A file that cannot be read, or a ledger that did not take all of it, told in the reader's language.
pub async fn run(
    args: Args,
    context: &Context,
    language: Language,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let What::Services { files } = args.what;
    let sheets: Vec<Vec<u8>> =
        files.iter().map(|path| read(path, language)).collect::<anyhow::Result<_>>()?;
    let mut closed = Ok(());
    let progress = |done, total| {
        let line = match language {
            Language::Japanese => format!("書込み {done}/{total}"),
            Language::English => format!("written {done}/{total}"),
        };
        // The import goes on when nobody listens any more; the last line tells the caller.
        closed = writeln!(out, "{line}");
    };
    let imported =
        import(context, &sheets, progress).await.map_err(|why| anyhow!(told(&why, &files, language)))?;
    closed?;
    report(out, language, &imported)?;
    Ok(())
}

fn read(path: &Path, language: Language) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|why| match language {
        Language::Japanese => anyhow!("{shown}を読み取れません：{why}"),
        Language::English => anyhow!("{shown} cannot be read: {why}"),
    })?;
    if bytes.len() as u64 <= LARGEST {
        return Ok(bytes);
    }
    let mib = LARGEST >> 20;
    Err(match language {
        Language::Japanese => anyhow!("{shown}は{mib} MiBを超えています。公表されたCSVか確かめてください。"),
        Language::English => anyhow!("{shown} is larger than {mib} MiB; check that it is the published CSV."),
    })
}

/// Why nothing, or not all, was imported; a file is named as it was given.
fn told(why: &ImportError, files: &[PathBuf], language: Language) -> String {
    let sheet = |why: &BadSheet| match language {
        Language::Japanese => why.message_ja(),
        Language::English => why.to_string(),
    };
    match why {
        ImportError::File { place, why } => match files.get(*place) {
            Some(path) => format!("{}: {}", path.display(), sheet(why)),
            None => sheet(why),
        },
        ImportError::Together(why) => sheet(why),
        ImportError::Ledger(problem) => problem.told(language),
    }
}

fn report(out: &mut impl Write, language: Language, imported: &Imported) -> std::io::Result<()> {
    let refusal = |refusal: &Refusal| match language {
        Language::Japanese => format!("取り込まなかった行：{}", refusal.message_ja()),
        Language::English => format!("refused: {refusal}"),
    };
    for refused in &imported.refused {
        writeln!(out, "{}", refusal(refused))?;
    }
    let Imported { rows_read, facilities, created, changed, unchanged, absent, refused } = imported;
    if *absent > 0 {
        match language {
            Language::Japanese => {
                writeln!(out, "登録済みで表にない施設が{absent}件あります。そのまま残しました。")
            }
            Language::English => {
                writeln!(out, "{absent} facilities are held but not in the files; they are left as they are.")
            }
        }?;
    }
    let refused = refused.len();
    writeln!(
        out,
        "rows_read={rows_read} facilities={facilities} created={created} changed={changed} \
         unchanged={unchanged} refused={refused}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usecases::testing::{self, TestHub, yokohama_sheets};

    async fn said(hub: &TestHub, language: Language, files: &[PathBuf]) -> Result<Vec<String>, String> {
        let args = Args { what: What::Services { files: files.to_vec() } };
        let mut out = Vec::new();
        run(args, hub, language, &mut out).await.map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap().lines().map(str::to_owned).collect())
    }

    /// The published sheets as files, with a change to the first.
    fn files(folder: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Vec<PathBuf> {
        let mut sheets = yokohama_sheets();
        change(&mut sheets[0]);
        let write = |(number, bytes): (usize, &Vec<u8>)| {
            let path = folder.join(format!("{number}.csv"));
            std::fs::write(&path, bytes).unwrap();
            path
        };
        sheets.iter().enumerate().map(write).collect()
    }

    #[tokio::test]
    async fn the_last_line_counts_the_same_in_both_languages() {
        let (hub, folder) = (testing::hub().await, tempfile::tempdir().unwrap());
        let files = files(folder.path(), |_| {});
        let first = said(&hub, Language::Japanese, &files).await.unwrap();
        assert_eq!(first[0], "書込み 500/1230");
        assert_eq!(
            first.last().unwrap(),
            "rows_read=3690 facilities=1230 created=1230 changed=0 unchanged=0 refused=0"
        );
        let second = said(&hub, Language::English, &files).await.unwrap();
        assert_eq!(second, ["rows_read=3690 facilities=1230 created=0 changed=0 unchanged=1230 refused=0"]);
    }

    #[tokio::test]
    async fn every_refusal_is_told_by_row_and_column() {
        let (hub, folder) = (testing::hub().await, tempfile::tempdir().unwrap());
        let files = files(folder.path(), |sheet| {
            let comma = sheet.iter().rposition(|b| *b == b',').unwrap();
            sheet[comma - 1] = b'x';
        });
        let ja = said(&hub, Language::Japanese, &files).await.unwrap();
        assert!(
            ja.iter()
                .any(|line| line.contains("「受入可能数」1232行目「合計」：整数でも「-」でもありません")),
            "{ja:?}"
        );
        assert!(ja.last().unwrap().ends_with("unchanged=0 refused=2"));
        let en = said(&hub, Language::English, &files).await.unwrap();
        assert!(
            en.iter().any(|line| line.contains("row 1232, column 合計: is neither a whole number nor -")),
            "{en:?}"
        );
    }

    #[tokio::test]
    async fn a_file_that_is_none_is_named() {
        let (hub, folder) = (testing::hub().await, tempfile::tempdir().unwrap());
        let missing = vec![folder.path().join("missing.csv")];
        let error = said(&hub, Language::English, &missing).await.unwrap_err();
        assert!(error.contains("missing.csv cannot be read"), "{error}");
        let files = files(folder.path(), |sheet| *sheet = b"PK\x03\x04".to_vec());
        let error = said(&hub, Language::Japanese, &files).await.unwrap_err();
        assert!(error.contains("0.csv: ファイルの形式がExcelです"), "{error}");
        let large = folder.path().join("large.csv");
        File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        let error = said(&hub, Language::English, &[large]).await.unwrap_err();
        assert!(error.contains("larger than 16 MiB"), "{error}");
        let left = crate::usecases::directory::services(&hub, &Default::default()).await.unwrap();
        assert_eq!(left, r#"{"items":[]}"#, "nothing was stored");
    }
}
