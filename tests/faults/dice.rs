//! Chance that can be had again: every run prints its seed.

use tsunagu::clock::Clock;

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    /// A new seed, or that of `HUB_TEST_SEED`, for a run to be repeated.
    pub fn thrown() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test is told which run to repeat")]
        let given = std::env::var("HUB_TEST_SEED").ok().map(|seed| seed.parse().expect("a seed is a number"));
        let seed = given.unwrap_or_else(|| Clock::System.new_random_id::<uuid::Uuid>().as_u64_pair().0);
        println!("HUB_TEST_SEED={seed}");
        Self(seed)
    }

    /// Dice of their own for a task, so that tasks do not change each other's chance.
    pub fn for_task(&self, task: u64) -> Self {
        let mut own = Self(self.0 ^ (task + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        own.next();
        own
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `from` up to, and without, `to`.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    /// Yes, once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.between(0, times) == 0
    }
}
