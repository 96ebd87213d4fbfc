//! Work shared among the threads of a pool. In: a number of items, and what to do with one of them. Out: each of them
//! done once. Never: allocation, a thread that sleeps between the parts of a step, or a result that depends on who did what.
//!
//! What small steps lose most by is threads that sleep between their parts: to wake one took 60 to 95 µs on a virtual
//! machine, where a part is 100 to 500 µs of work. So [`together`] calls the threads of rayon's pool once for a whole
//! step, and they wait for its jobs awake. A job of so many items gives each thread the same run of them every time:
//! what it wrote in the last step is still in its cache. Who is done with its own run takes from the ends of others'.
use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// Threads of a crew at most.
const SEATS: usize = 64;
/// A thread that waited for so long naps between looks: what runs now is long, and not shared.
const PATIENCE: Duration = Duration::from_millis(2);
const NAP: Duration = Duration::from_micros(50);
/// Turns of a waiting loop between two offers of the processor to others.
const TURNS: u32 = 128;

#[derive(Clone, Copy)]
enum Place {
    Outside,
    /// The thread that gives this crew its jobs.
    Leads(*const Crew),
    /// A thread inside an item: what is shared there, it does alone.
    Works,
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place::Outside) };
    /// Jobs that this thread has shared.
    static JOBS: Cell<usize> = const { Cell::new(0) };
}

type Body<'a> = &'a (dyn Fn(usize) + Sync);

/// The threads that share the jobs of one step.
struct Crew {
    /// Odd while a job is open.
    turn: AtomicUsize,
    /// Threads that look at the job, besides the one that gave it.
    active: AtomicUsize,
    over: AtomicBool,
    job: UnsafeCell<Option<Body<'static>>>,
    /// What is left of each seat's run of items: its first in the lower half, its end in the upper.
    runs: [Run; SEATS],
    seats: usize,
    /// The index of the thread that gives the jobs, in a pool of so many threads.
    leader: usize,
    threads: usize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// On a pair of cache lines of its own.
#[repr(align(128))]
struct Run(AtomicU64);

// SAFETY: `job` is written by the leader alone, while no other thread is active (see `Crew::run`).
unsafe impl Sync for Crew {}

/// Runs `work`, such as a step, with the threads of the pool at hand for all that it shares, if it `shares` anything. That is
/// learned from call to call, and nobody is woken for a step that is too small. Inside of another call it is `work` alone.
pub fn together<T: Send>(shares: &mut bool, work: impl FnOnce() -> T + Send) -> T {
    let expected = *shares;
    let counted = || {
        let before = JOBS.get();
        let result = if expected { lead(work) } else { work() };
        (result, JOBS.get() != before)
    };
    let (result, shared) = match rayon::current_thread_index() {
        Some(_) => counted(),
        None => rayon::scope(|_| counted()),
    };
    *shares = shared;
    result
}

/// Runs `work` as the leader of a crew.
fn lead<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let Some(leader) = rayon::current_thread_index() else {
        return rayon::scope(|_| lead(work));
    };
    let threads = rayon::current_num_threads();
    if threads == 1 || !matches!(PLACE.get(), Place::Outside) {
        return work();
    }
    let seats = threads.min(SEATS);
    let crew = Crew {
        turn: AtomicUsize::new(0),
        active: AtomicUsize::new(0),
        over: AtomicBool::new(false),
        job: UnsafeCell::new(None),
        runs: [const { Run(AtomicU64::new(0)) }; SEATS],
        seats,
        leader,
        threads,
        panic: Mutex::new(None),
    };
    let leads = || {
        let _over = Lead::of(&crew);
        work()
    };
    rayon::join(leads, || crew.call(seats - 1)).0
}

/// The leader's place, until `work` is over or has panicked.
struct Lead<'a>(&'a Crew);

impl<'a> Lead<'a> {
    fn of(crew: &'a Crew) -> Self {
        PLACE.set(Place::Leads(ptr::from_ref(crew)));
        Lead(crew)
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        PLACE.set(Place::Outside);
        self.0.over.store(true, Ordering::Release);
    }
}

/// Whose item this is, of tasks that have so many items each, one task after the other; and which of its own.
pub(super) fn item_of<T>(tasks: &[T], mut item: usize, count: impl Fn(&T) -> usize) -> Option<(&T, usize)> {
    for task in tasks {
        let own = count(task);
        if item < own {
            return Some((task, item));
        }
        item -= own;
    }
    None
}

/// Runs `body` for every item below `items`, on all threads of the pool.
pub(super) fn share(items: usize, body: Body<'_>) {
    share_by(items, &|seat, seats| items * seat / seats, body);
}

/// The same, where `start(seat, seats)` is the first item of a seat's own run; it rises, up to `items`.
pub(super) fn share_by(items: usize, start: &(dyn Fn(usize, usize) -> usize + Sync), body: Body<'_>) {
    assert!(u32::try_from(items).is_ok(), "more items than are counted: internal error");
    if items <= 1 {
        return (0..items).for_each(body);
    }
    JOBS.set(JOBS.get() + 1);
    match PLACE.get() {
        Place::Works => (0..items).for_each(body),
        // SAFETY: the crew lives as long as its leader's place does, which is this thread's.
        Place::Leads(crew) => unsafe { &*crew }.run(items, start, body),
        Place::Outside if rayon::current_num_threads() == 1 => (0..items).for_each(body),
        Place::Outside => lead(|| share_by(items, start, body)),
    }
}

impl Crew {
    /// Brings `threads` threads of the pool here.
    fn call(&self, threads: usize) {
        match threads {
            0 => {}
            1 => self.serve(),
            _ => _ = rayon::join(|| self.call(threads / 2), || self.call(threads - threads / 2)),
        }
    }

    /// Takes part in every job until the step is over.
    fn serve(&self) {
        let Some(index) = rayon::current_thread_index() else { return };
        let seat = (index + self.threads - self.leader) % self.threads;
        if seat == 0 || seat >= self.seats {
            return;
        }
        let (mut wait, mut seen) = (Wait::new(), 0);
        while !self.over.load(Ordering::Acquire) {
            let turn = self.turn.load(Ordering::Acquire);
            if turn == seen || turn.is_multiple_of(2) {
                if wait.turn() && wait.begin.elapsed() > PATIENCE {
                    std::thread::sleep(NAP);
                }
                continue;
            }
            self.active.fetch_add(1, Ordering::SeqCst);
            if self.turn.load(Ordering::SeqCst) == turn {
                // SAFETY: the job is open, and the leader waits for this thread before it closes it.
                if let Some(body) = unsafe { *self.job.get() } {
                    PLACE.set(Place::Works);
                    self.work(seat, body);
                    PLACE.set(Place::Outside);
                }
            }
            self.active.fetch_sub(1, Ordering::Release);
            (wait, seen) = (Wait::new(), turn);
        }
    }

    /// One job, to its end.
    fn run(&self, items: usize, start: &dyn Fn(usize, usize) -> usize, body: Body<'_>) {
        for (seat, run) in self.runs.iter().enumerate().take(self.seats) {
            let end = if seat + 1 == self.seats { items } else { start(seat + 1, self.seats) };
            run.0.store(start(seat, self.seats) as u64 | (end as u64) << 32, Ordering::Relaxed);
        }
        // SAFETY: no other thread is active: the last job waited for all, and since then none was open. The body is
        // forgotten before it ends.
        unsafe { *self.job.get() = Some(std::mem::transmute::<Body<'_>, Body<'static>>(body)) };
        let open = self.turn.load(Ordering::Relaxed) + 1;
        self.turn.store(open, Ordering::SeqCst);
        PLACE.set(Place::Works);
        self.work(0, body);
        PLACE.set(Place::Leads(ptr::from_ref(self)));
        // In the one order of these four: who counted itself in before this line is waited for, and who did later sees
        // that the job is closed.
        self.turn.store(open + 1, Ordering::SeqCst);
        let mut wait = Wait::new();
        while self.active.load(Ordering::SeqCst) != 0 {
            wait.turn();
        }
        // SAFETY: as above.
        unsafe { *self.job.get() = None };
        let panic = self.panic.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Own items, then others'. A panic is kept for the leader: its caller's slices are in use until all have ended.
    fn work(&self, seat: usize, body: Body<'_>) {
        let all = || {
            for other in 0..self.seats {
                let run = &self.runs[(seat + other) % self.seats].0;
                while let Some(item) = claim(run, other == 0) {
                    body(item);
                }
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(all)) {
            *self.panic.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(panic);
        }
    }
}

/// The first item that is left of a run, or the last.
fn claim(run: &AtomicU64, first: bool) -> Option<usize> {
    let mut left = run.load(Ordering::Relaxed);
    loop {
        let (start, end) = (left & u64::from(u32::MAX), left >> 32);
        if start >= end {
            return None;
        }
        let (item, rest) =
            if first { (start, (start + 1) | end << 32) } else { (end - 1, start | (end - 1) << 32) };
        match run.compare_exchange_weak(left, rest, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return Some(item as usize),
            Err(now) => left = now,
        }
    }
}

/// A loop that waits.
struct Wait {
    begin: Instant,
    turns: u32,
}

impl Wait {
    fn new() -> Self {
        Wait { begin: Instant::now(), turns: 0 }
    }

    /// Another turn. Returns whether it offered the processor to others, as is done now and then.
    fn turn(&mut self) -> bool {
        self.turns += 1;
        let offers = self.turns.is_multiple_of(TURNS);
        if offers {
            std::thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
        offers
    }
}

/// A slice of which each item of a job takes a part of its own.
pub(super) struct Parts<'a, F> {
    data: *mut F,
    len: usize,
    slice: PhantomData<&'a mut [F]>,
}

// SAFETY: it is a mutable slice, of which a thread gets a part that no other has (the contract of `part`).
unsafe impl<F: Send> Sync for Parts<'_, F> {}
// SAFETY: as a mutable slice.
unsafe impl<F: Send> Send for Parts<'_, F> {}

impl<'a, F> Parts<'a, F> {
    pub fn of(slice: &'a mut [F]) -> Self {
        Parts { data: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// So many elements from `start` on.
    ///
    /// # Safety
    /// No two parts that live at the same time overlap.
    ///
    /// # Panics
    /// Where the slice is too short.
    #[allow(clippy::mut_from_ref)] // the contract
    pub unsafe fn part(&self, start: usize, len: usize) -> &'a mut [F] {
        assert!(start <= self.len && len <= self.len - start, "a part outside of its slice: internal error");
        // SAFETY: inside of the slice, which is borrowed for 'a; apart from all others by the caller's word.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(start), len) }
    }

    /// An element's place, for parts that are no slices.
    ///
    /// # Panics
    /// Where the slice is too short.
    pub fn place(&self, at: usize) -> *mut F {
        assert!(at < self.len, "a place outside of its slice: internal error");
        self.data.wrapping_add(at)
    }
}
