//! Arithmetic modulo the order of the Ed25519 group, enough to make signatures that a lenient verifier
//! believes and a strict one refuses.

use aws_lc_rs::{
    digest::{SHA512, digest},
    signature::KeyPair,
};

use super::Key;

/// A number below 2^256, low limb first.
type N = [u64; 4];

const ORDER: N = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 0x1000_0000_0000_0000];

fn read(bytes: &[u8]) -> N {
    std::array::from_fn(|limb| u64::from_le_bytes(bytes[limb * 8..limb * 8 + 8].try_into().unwrap()))
}

fn write(n: N) -> Vec<u8> {
    n.iter().flat_map(|limb| limb.to_le_bytes()).collect()
}

fn add(a: N, b: N) -> N {
    let mut carry = 0;
    std::array::from_fn(|limb| {
        let sum = u128::from(a[limb]) + u128::from(b[limb]) + carry;
        carry = sum >> 64;
        sum as u64
    })
}

fn reduce(a: N) -> N {
    if a.iter().rev().cmp(ORDER.iter().rev()).is_lt() {
        return a;
    }
    let mut borrow = false;
    std::array::from_fn(|limb| {
        let (part, under) = a[limb].overflowing_sub(ORDER[limb]);
        let (part, again) = part.overflowing_sub(u64::from(borrow));
        borrow = under || again;
        part
    })
}

fn bits(bytes: &[u8]) -> impl Iterator<Item = bool> {
    bytes.iter().rev().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
}

/// `bytes` (little-endian, any length) times `by`, modulo the order. `by` must be below the order.
fn times(bytes: &[u8], by: N) -> N {
    bits(bytes).fold([0; 4], |sum, bit| {
        let sum = reduce(add(sum, sum));
        if bit { reduce(add(sum, by)) } else { sum }
    })
}

/// The same signature with S + L in place of S: a second text for one statement.
pub fn s_plus_order(signature: &[u8]) -> Vec<u8> {
    [&signature[..32], &write(add(read(&signature[32..]), ORDER))].concat()
}

/// A signature whose R is the neutral point: S = H(R, A, M)·a satisfies the equation.
pub fn small_order_r(key: &Key, signed: &str) -> Vec<u8> {
    let mut secret = digest(&SHA512, &key.seed).as_ref()[..32].to_vec();
    secret[0] &= 248;
    secret[31] = secret[31] & 127 | 64;
    let r: [u8; 32] = std::array::from_fn(|place| u8::from(place == 0));
    let message = [&r[..], key.pair.public_key().as_ref(), signed.as_bytes()].concat();
    let a = times(&secret, [1, 0, 0, 0]);
    [&r[..], &write(times(digest(&SHA512, &message).as_ref(), a))].concat()
}
