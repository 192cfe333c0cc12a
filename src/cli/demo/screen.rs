//! How the demo appears: redrawn in place on a terminal, one line after the other anywhere else.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
};

/// The few colours the demo uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
}

impl Paint {
    /// A text in this colour, if colours are wanted.
    pub fn on(self, text: &str, colour: bool) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Red => 31,
        };
        if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The columns a character takes on a terminal (Unicode UAX #11: Wide and Fullwidth take two, marks none).
const fn columns_of(character: char) -> usize {
    match character as u32 {
        0x0300..=0x036F | 0x200B..=0x200F | 0x3099..=0x309A | 0xFE00..=0xFE0F | 0xE0100..=0xE01EF => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// The columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// A text in exactly so many columns: filled with blanks, or cut with two dots. 0 leaves it as it is.
pub(super) fn fit(text: &str, wanted: usize) -> Cow<'_, str> {
    let found = columns(text);
    if wanted == 0 || found == wanted {
        return Cow::Borrowed(text);
    }
    if found < wanted {
        return Cow::Owned(format!("{text}{}", " ".repeat(wanted - found)));
    }
    let (mut cut, mut used) = (String::new(), 0);
    for character in text.chars() {
        if used + columns_of(character) + 2 > wanted {
            break;
        }
        used += columns_of(character);
        cut.push(character);
    }
    Cow::Owned(format!("{cut}..{}", " ".repeat(wanted.saturating_sub(used + 2))))
}

/// Where the demo writes. That nobody reads it is no reason to stop.
pub(super) struct Screen {
    out: Box<dyn Write + Send>,
    /// Whether what was written can be written over.
    pub live: bool,
    pub colour: bool,
    /// Lines of the table that stand at the end of the screen now.
    drawn: usize,
}

impl Screen {
    /// The standard output, in colours unless they are unwanted or nobody would see them.
    pub fn standard(colour_refused: bool) -> Self {
        let out = io::stdout();
        let live = out.is_terminal();
        Self { live, colour: live && !colour_refused, out: Box::new(out), drawn: 0 }
    }

    /// A line of the story, above the table.
    pub fn say(&mut self, line: &str, table: &[String]) {
        let mut text = self.without_table();
        text.push_str(line);
        text.push('\n');
        self.put(text, table);
    }

    /// The table again, where it stands.
    pub fn redraw(&mut self, table: &[String]) {
        let text = self.without_table();
        self.put(text, table);
    }

    /// Leaves the table as it stands; what follows is written below it.
    pub fn leave(&mut self) {
        self.drawn = 0;
    }

    /// A line that is written over by the next one: how far a long work has come.
    pub fn progress(&mut self, line: &str) {
        let line = if self.live { format!("\r\x1b[K{line}") } else { format!("{line}\n") };
        self.write(&line);
    }

    /// What takes away the table, up to its first line, or a line of progress.
    fn without_table(&self) -> String {
        match (self.live, self.drawn) {
            (false, _) => String::new(),
            (true, 0) => "\r\x1b[K".to_owned(),
            (true, lines) => format!("\x1b[{lines}A\r\x1b[J"),
        }
    }

    fn put(&mut self, mut text: String, table: &[String]) {
        if self.live {
            // A line that is cut at the edge keeps its place; one that wrapped would move all below it.
            text.push_str("\x1b[?7l");
            for line in table {
                text.push_str(line);
                text.push('\n');
            }
            text.push_str("\x1b[?7h");
            self.drawn = table.len();
        }
        self.write(&text);
    }

    fn write(&mut self, text: &str) {
        let _nobody_reads = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn screen(live: bool) -> (Screen, Paper) {
        let paper = Paper::default();
        (Screen { out: Box::new(paper.clone()), live, colour: false, drawn: 0 }, paper)
    }

    #[test]
    fn japanese_takes_two_columns_and_marks_take_none() {
        assert_eq!(columns("鶴見区 ab"), 9);
        assert_eq!(columns("ﾊﾝｶｸ（全）"), 4 + 6);
        assert_eq!(columns("葛\u{E0100}は\u{3099}"), 4);
    }

    #[test]
    fn a_cell_has_the_columns_it_is_given() {
        for text in ["", "ab", "保健センター", "長い長い長い名前の機関", "a長い長い長い名前"]
        {
            assert_eq!(columns(&fit(text, 9)), 9, "{text}");
        }
        assert_eq!(fit("長い長い長い名前の機関", 0), "長い長い長い名前の機関");
        assert_eq!(fit("保健センター", 9), "保健セ.. ");
    }

    #[test]
    fn a_table_is_drawn_over_on_a_terminal_and_kept_out_of_a_file() {
        let table = ["one".to_owned(), "two".to_owned()];
        let (mut terminal, paper) = screen(true);
        terminal.redraw(&table);
        terminal.say("said", &table);
        let written = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        assert_eq!(written.matches("\x1b[2A").count(), 1);
        assert!(written.ends_with("said\n\x1b[?7lone\ntwo\n\x1b[?7h"), "{written:?}");
        let (mut file, paper) = screen(false);
        file.redraw(&table);
        file.say("said", &table);
        assert_eq!(paper.0.lock().unwrap().as_slice(), b"said\n");
    }

    #[test]
    fn colours_are_left_out_where_they_are_not_wanted() {
        assert_eq!(Paint::Red.on("x", false), "x");
        assert_eq!(Paint::Red.on("x", true), "\x1b[31mx\x1b[0m");
    }
}
