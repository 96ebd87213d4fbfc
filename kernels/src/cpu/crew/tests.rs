//! Every item once, whoever does it; panics; nests.
use super::*;

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool")
}

/// Every item once, in many jobs one after the other, within one call and each with a call of its own.
#[test]
fn every_item_is_done_once() {
    for threads in [1, 2, 3, 8] {
        let jobs = |counts: &[AtomicUsize]| {
            for items in 0..counts.len() {
                share(items, &|i| _ = counts[i].fetch_add(1, Ordering::Relaxed));
            }
        };
        for whole in [true, false] {
            let counts: [AtomicUsize; 200] = std::array::from_fn(|_| AtomicUsize::new(0));
            pool(threads).install(|| match whole {
                true => together(&mut true, || jobs(&counts)),
                false => jobs(&counts),
            });
            for (i, count) in counts.iter().enumerate() {
                assert_eq!(count.load(Ordering::Relaxed), 199 - i, "item {i}, {threads} threads");
            }
        }
    }
}

#[test]
fn all_threads_take_part_and_nothing_is_shared_twice() {
    let pool = pool(3);
    let seen: [AtomicUsize; 3] = std::array::from_fn(|_| AtomicUsize::new(0));
    let inner = AtomicUsize::new(0);
    pool.install(|| {
        together(&mut true, || {
            // Long enough for the others to nap: they come all the same.
            std::thread::sleep(3 * PATIENCE);
            share_by(3, &|seat, _| seat, &|i| {
                // Each waits for the others, so that no thread can take two.
                seen[i].fetch_add(1, Ordering::SeqCst);
                while seen.iter().any(|one| one.load(Ordering::SeqCst) == 0) {
                    std::thread::yield_now();
                }
                let own = rayon::current_thread_index();
                share(10, &|_| {
                    assert_eq!(rayon::current_thread_index(), own);
                    inner.fetch_add(1, Ordering::Relaxed);
                });
            });
        });
    });
    assert_eq!(inner.load(Ordering::Relaxed), 30);
}

#[test]
fn a_step_that_shares_nothing_wakes_nobody() {
    pool(2).install(|| {
        let mut shares = true;
        together(&mut shares, || assert!(matches!(PLACE.get(), Place::Leads(_))));
        assert!(!shares);
        together(&mut shares, || assert!(matches!(PLACE.get(), Place::Outside)));
        together(&mut shares, || share(2, &|_| {}));
        assert!(shares);
        together(&mut shares, || {
            assert!(matches!(PLACE.get(), Place::Leads(_)));
            together(&mut false, || share(2, &|_| {}));
        });
        assert!(shares);
    });
}

#[test]
fn runs_that_are_uneven_or_empty() {
    let counts: [AtomicUsize; 10] = std::array::from_fn(|_| AtomicUsize::new(0));
    pool(4).install(|| {
        let start = |seat, _| [0, 0, 9, 9][seat];
        share_by(10, &start, &|i| _ = counts[i].fetch_add(1, Ordering::Relaxed));
    });
    assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
}

#[test]
fn a_panic_comes_back_when_all_have_ended() {
    let pool = pool(2);
    for bad in [0, 99] {
        let running = AtomicUsize::new(0);
        let caught = catch_unwind(AssertUnwindSafe(|| {
            pool.install(|| {
                share(100, &|i| {
                    running.fetch_add(1, Ordering::SeqCst);
                    let panics = i == bad;
                    running.fetch_sub(1, Ordering::SeqCst);
                    assert!(!panics, "item {i}");
                });
            });
        }));
        assert!(caught.is_err());
        assert_eq!(running.load(Ordering::SeqCst), 0);
    }
    // And the pool goes on.
    let sum = AtomicUsize::new(0);
    pool.install(|| share(100, &|i| _ = sum.fetch_add(i, Ordering::Relaxed)));
    assert_eq!(sum.load(Ordering::Relaxed), 4950);
}

#[test]
fn parts_stay_inside() {
    let mut numbers = [1, 2, 3];
    let parts = Parts::of(&mut numbers);
    // SAFETY: apart.
    let (a, b) = unsafe { (parts.part(0, 1), parts.part(1, 2)) };
    std::mem::swap(&mut a[0], &mut b[1]);
    assert!(catch_unwind(AssertUnwindSafe(|| unsafe { parts.part(2, 2) }.len())).is_err());
    assert_eq!(numbers, [3, 2, 1]);
}
