//! tsunagu (つなぐ): an inter-agency referral and messaging hub for Japan's 利用者支援事業.

pub mod clock;
pub mod domain;
