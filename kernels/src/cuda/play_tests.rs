use super::super::arena::Layout;
use super::super::fake::Fake;
use super::super::tape::{Argument, Axis, Launch, Pointer, Product, Recorder, Space, Tape};
use super::*;

const TEXT: &str =
    "void one(float *x, long long n) {} void two(float *x, const Clock *clock) {} void general(float *c) {}";

fn at(space: Space, start: usize) -> Argument {
    Argument::Pointer(Pointer { space, start })
}

fn general(product: &Product, _scratch: Pointer) -> Vec<Launch> {
    let arguments = vec![Argument::Output(product.c)];
    vec![Launch { kernel: "general", blocks: [1, 1, 1], threads: 32, arguments }]
}

fn product(size: usize) -> Product {
    let axis = |a, b, c| Axis { size, a, b, c };
    Product {
        outer: vec![],
        m: vec![axis(size, 0, size)],
        n: vec![axis(0, 1, 1)],
        k: vec![axis(1, size, 0)],
        a: Pointer::new(Space::Inputs),
        b: Pointer::new(Space::Param(0)),
        c: Pointer::new(Space::Work),
        accumulate: false,
    }
}

fn tape() -> Tape {
    let mut recorder = Recorder::default();
    recorder.launch("one", [2, 1, 1], 64, &[at(Space::Inputs, 0), Argument::Size(20)]);
    recorder.product(product(2));
    recorder.inspect(7, Pointer { space: Space::Outputs, start: 1 }, 2);
    recorder.launch("two", [1, 1, 1], 32, &[at(Space::Metrics, 0), Argument::Clock]);
    recorder.launch("one", [0, 1, 1], 32, &[]);
    recorder.finish()
}

/// A device, and what is needed to play on it.
struct Stage {
    fake: Fake,
    loaded: Arc<Loaded>,
    places: Places,
    arena: Arc<Arena>,
}

impl Stage {
    fn new() -> Result<Self> {
        Stage::on(Fake::new(1 << 20))
    }

    fn on(fake: Fake) -> Result<Self> {
        let driver = Shared::new(fake.clone());
        let loaded = Arc::new(Loaded::new(&driver, TEXT)?);
        let mut layout = Layout::default();
        let room = |layout: &mut Layout, elements| layout.add(elements);
        let places = Places {
            work: room(&mut layout, 100)?,
            inputs: room(&mut layout, 20)?,
            params: vec![room(&mut layout, 6)?, room(&mut layout, 4)?],
            outputs: room(&mut layout, 3)?,
            metrics: room(&mut layout, 2)?,
            clock: room(&mut layout, 6)?,
            ..Places::default()
        };
        let arena = Arc::new(Arena::new(&driver, &layout)?);
        Ok(Stage { fake, loaded, places, arena })
    }

    fn actions(&self, tape: &Tape) -> Result<Vec<Action>> {
        actions(tape, self.loaded.module(), &self.places, &self.arena, &general)
    }
}

#[test]
fn a_tape_is_one_graph_in_its_order() {
    for takes in [false, true] {
        let stage = Stage::new().unwrap();
        stage.fake.record().takes = takes;
        let actions = stage.actions(&tape()).unwrap();
        let captured = Captured::new(&stage.arena, std::slice::from_ref(&stage.loaded), &actions).unwrap();
        let second = if takes { "multiply" } else { "launch general" };
        let graphs: Vec<Vec<String>> = stage.fake.record().graphs.values().cloned().collect();
        assert_eq!(graphs, [["launch one", second, "launch two"]]);
        let before = stage.fake.record().count();
        captured.run().unwrap();
        captured.run().unwrap();
        assert_eq!(stage.fake.record().calls[before..], ["replay", "replay"], "more than one call a step");
        let fake = stage.fake.clone();
        drop((captured, stage));
        assert_eq!(fake.record().alive(), 0);
    }
}

#[test]
fn what_is_inspected_is_read_between_launches() {
    let stage = Stage::new().unwrap();
    stage.arena.write(stage.places.outputs, &[1.0f32, 2.0, 3.0]).unwrap();
    let mut shown = Vec::new();
    let actions = stage.actions(&tape()).unwrap();
    let show = |index, values: &[f32]| shown.push((index, values.to_vec()));
    play(&stage.arena, &[&stage.loaded], &actions, show).unwrap();
    assert_eq!(shown, [(7, vec![2.0, 3.0])]);
    let calls = stage.fake.record().calls.clone();
    let done: Vec<&str> = calls
        .iter()
        .map(String::as_str)
        .filter(|call| call.starts_with("launch") || *call == "read")
        .collect();
    assert_eq!(done, ["launch one", "launch general", "read", "launch two"]);
}

#[test]
fn a_pointer_that_leaves_its_space_is_an_error_before_anything_runs() {
    type Case = Box<dyn Fn(&mut Recorder)>;
    let cases: Vec<Case> = vec![
        Box::new(|to| to.launch("one", [1, 1, 1], 32, &[at(Space::Inputs, 21)])),
        Box::new(|to| to.launch("one", [1, 1, 1], 32, &[at(Space::Param(2), 0)])),
        Box::new(|to| to.launch("one", [1, 1, 1], 32, &[at(Space::Work, usize::MAX)])),
        Box::new(|to| to.inspect(0, Pointer::new(Space::Outputs), 4)),
        // A factor of 5 · 5 elements in a parameter of 6.
        Box::new(|to| to.product(Product { a: Pointer::new(Space::Work), ..product(5) })),
        Box::new(|to| to.product(Product { c: Pointer { space: Space::Work, start: 97 }, ..product(2) })),
        Box::new(|to| to.launch("one", [1, 65_536, 1], 32, &[])),
        Box::new(|to| to.launch("one", [1, 1, 1], 48, &[])),
        Box::new(|to| to.launch("one", [1, 1, 1], 2048, &[])),
        Box::new(|to| to.launch("one", [1, 1, 1], 0, &[])),
    ];
    let stage = Stage::new().unwrap();
    let before = stage.fake.record().count();
    for (number, case) in cases.iter().enumerate() {
        let mut recorder = Recorder::default();
        case(&mut recorder);
        let found = stage.actions(&recorder.finish());
        assert!(matches!(found, Err(Error::Program { .. })), "case {number}: {found:?}");
    }
    assert_eq!(stage.fake.record().count(), before);
    let mut recorder = Recorder::default();
    recorder.launch("one", [1, 1, 1], 32, &[at(Space::Inputs, 20)]);
    recorder.product(Product { c: Pointer { space: Space::Work, start: 96 }, ..product(2) });
    stage.actions(&recorder.finish()).expect("the last place is inside");
}

#[test]
fn every_failure_is_an_error_and_nothing_is_kept() {
    let run = |fake: &Fake| -> Result<()> {
        let stage = Stage::on(fake.clone())?;
        stage.arena.write(stage.places.inputs, &[0.0f32; 20])?;
        let actions = stage.actions(&tape())?;
        play(&stage.arena, &[&stage.loaded], &actions, |_, _| {})?;
        let captured = Captured::new(&stage.arena, std::slice::from_ref(&stage.loaded), &actions)?;
        captured.run()?;
        stage.arena.read(stage.places.metrics, &mut [0.0f32; 2])
    };
    let fake = Fake::new(1 << 20);
    run(&fake).unwrap();
    let calls = fake.record().count();
    assert!(calls > 12, "{calls}");
    for at in 0..calls {
        for error in [Error::driver("cuGraphLaunch", 719), Error::driver("cuMemAlloc", 1)] {
            let fake = Fake::new(1 << 20);
            fake.record().fails = Some((at, error.clone()));
            assert_eq!(run(&fake), Err(error), "call {at}");
            assert_eq!(fake.record().alive(), 0, "call {at}: something is kept");
        }
    }
}

#[test]
fn too_little_memory_is_said_before_it_is_asked_for() {
    let fake = Fake::new(1000);
    let error = Stage::on(fake.clone()).map(drop).unwrap_err();
    assert_eq!(error, Error::Memory { wanted: 2048, free: 1000 });
    assert!(!fake.record().calls.iter().any(|call| call == "allocate"));
    assert_eq!(fake.record().alive(), 0);
    assert!(matches!(Layout::default().add(usize::MAX / 2), Err(Error::Memory { .. })));
}

#[test]
fn a_text_without_the_kernel_or_of_another_device_is_an_error() {
    let stage = Stage::new().unwrap();
    let mut recorder = Recorder::default();
    recorder.launch("three", [1, 1, 1], 32, &[]);
    let actions = stage.actions(&recorder.finish()).unwrap();
    let error =
        Captured::new(&stage.arena, std::slice::from_ref(&stage.loaded), &actions).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "no kernel `three`");
    let error = Captured::new(&stage.arena, &[], &actions).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "the module of `three` is not at hand");
    assert_eq!(stage.fake.record().alive(), 2);
}

#[test]
fn ranges_are_copied_whole() {
    let stage = Stage::new().unwrap();
    let Stage { arena, places, .. } = &stage;
    arena.write(places.params[0], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    arena.write(places.params[1], &[9.0f32; 4]).unwrap();
    let mut middle = [0.0f32; 2];
    arena.read(places.params[0].part(2, 2).unwrap(), &mut middle).unwrap();
    assert_eq!(middle, [3.0, 4.0]);
    assert!(arena.read(places.params[0], &mut middle).is_err());
    assert!(arena.write(places.params[0], &[0.0f32; 7]).is_err());
    assert!(places.params[0].part(5, 2).is_err());
    assert!(places.params[0].part(usize::MAX, 2).is_err());
}
