//! The `heliu` program; everything is in the library.

fn main() -> std::process::ExitCode {
    heliu::cli::run()
}
