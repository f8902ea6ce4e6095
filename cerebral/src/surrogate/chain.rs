//! The test: surrogates made, sent the way of the data and measured, on as many threads as there are.

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;
use rayon::prelude::*;

use super::assess::{Asked, Significance, assess};
use super::kind::{Kind, Origin, Tested};
use super::make::{Material, Workspace};
use super::nulls::{Figures, Nulls, Observed};
use super::random::Key;
use crate::connectivity::{Parts, Pipeline, Planes};
use crate::error::AnalysisError;
use crate::preprocess::{Lanes, remove_mean, remove_trend};

/// What to test, and by how many surrogates of which kind.
///
/// ```
/// use cerebral::connectivity::Pipeline;
/// use cerebral::surrogate::SurrogateTest;
/// use cerebral::{Band, SampleRate};
///
/// # fn main() -> Result<(), cerebral::AnalysisError> {
/// let raw_uv = ndarray::Array2::from_shape_fn((3, 1000), |(i, t)| ((i * i + t * t) % 97) as f64);
/// let pipeline = Pipeline::new(Band::new(8.0, 13.0)?, SampleRate::new(250.0)?, 0.25)?;
/// let test = SurrogateTest { n: 99, seed: 1, ..SurrogateTest::default() };
/// let result = test.run(raw_uv.view(), &pipeline)?;
/// assert_eq!(result.pli.null_means.len(), 99);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SurrogateTest {
    /// Which null.
    pub kind: Kind,
    /// What is randomised.
    pub origin: Origin,
    /// Which measures.
    pub tested: Tested,
    /// Whether the mean order parameter of each is wanted too; it is not tested.
    pub order: bool,
    /// How many surrogates, `1..=2^32`.
    pub n: usize,
    /// The user's seed.
    pub seed: u64,
    /// Which session of a stream; 0 offline.
    pub session: u64,
    /// Which window; 0 for a whole segment.
    pub window: u64,
    /// Level of the verdict and of the edges, in `(0, 1)`.
    pub alpha: f64,
}

impl Default for SurrogateTest {
    /// 200 independent surrogates of the raw segment, PLI and wPLI, seed 1, alpha 0.05.
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            origin: Origin::default(),
            tested: Tested::default(),
            order: false,
            n: 200,
            seed: 1,
            session: 0,
            window: 0,
            alpha: 0.05,
        }
    }
}

impl SurrogateTest {
    /// Tests a raw segment. `raw_uv`: `(n_channels, n_samples)`; the pipeline is that of the figures to be judged.
    ///
    /// Memory: for every thread `16 n_channels n_samples` bytes, 8 more for PLI alone and 8 more from raw, and 16 bytes per pair and surrogate.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] for a number of surrogates or an alpha out of range, [`AnalysisError::TooFewChannels`] below
    /// two live channels, [`AnalysisError::TooShort`] if the pipeline leaves fewer than two samples.
    pub fn run(
        &self,
        raw_uv: ArrayView2<'_, f64>,
        pipeline: &Pipeline,
    ) -> Result<Significance, AnalysisError> {
        self.run_with(raw_uv, pipeline, &|| ())
    }

    /// [`SurrogateTest::run`], calling `done` after each surrogate, from any thread: for a progress bar.
    ///
    /// # Errors
    /// As [`SurrogateTest::run`].
    pub fn run_with(
        &self,
        raw_uv: ArrayView2<'_, f64>,
        pipeline: &Pipeline,
        done: &(dyn Fn() + Sync),
    ) -> Result<Significance, AnalysisError> {
        let observed = self.observe(raw_uv, pipeline)?;
        let nulls = self.nulls_with(raw_uv, pipeline, done)?;
        Ok(self.assess(&observed, &nulls))
    }

    /// Tests an already filtered segment by randomising it; [`SurrogateTest::origin`] is taken as filtered.
    ///
    /// # Errors
    /// As [`SurrogateTest::run`].
    pub fn run_on_filtered(
        &self,
        filtered: ArrayView2<'_, f64>,
        pipeline: &Pipeline,
    ) -> Result<Significance, AnalysisError> {
        let test = Self {
            origin: Origin::Filtered,
            ..self.clone()
        };
        test.check(filtered, pipeline)?;
        let z = pipeline.analytic_of_filtered(filtered);
        let observed = test.observe_analytic(z.view())?;
        let nulls = test.of_filtered(filtered, pipeline, &|| ());
        Ok(test.assess(&observed, &nulls))
    }

    /// Figures of the data themselves.
    ///
    /// # Errors
    /// As [`SurrogateTest::run`].
    pub fn observe(
        &self,
        raw_uv: ArrayView2<'_, f64>,
        pipeline: &Pipeline,
    ) -> Result<Observed, AnalysisError> {
        self.check(raw_uv, pipeline)?;
        self.observe_analytic(pipeline.analytic(raw_uv)?.view())
    }

    /// Figures of analytic signals, `(n_channels, n_samples)`, trimmed.
    ///
    /// # Errors
    /// [`AnalysisError::TooFewChannels`] below two live channels.
    pub fn observe_analytic(
        &self,
        z: ArrayView2<'_, Complex64>,
    ) -> Result<Observed, AnalysisError> {
        let planes = Planes::of(z, self.tested.parts());
        let found = planes.alive().iter().filter(|alive| **alive).count();
        if found < 2 {
            return Err(AnalysisError::TooFewChannels {
                what: "a surrogate test",
                least: 2,
                found,
            });
        }
        Ok(Observed {
            figures: Figures::of(&planes, self.tested, self.order),
            alive: planes.alive().to_vec(),
        })
    }

    /// Figures of [`SurrogateTest::n`] surrogates of a raw segment.
    ///
    /// # Errors
    /// As [`SurrogateTest::run`].
    pub fn nulls(
        &self,
        raw_uv: ArrayView2<'_, f64>,
        pipeline: &Pipeline,
    ) -> Result<Nulls, AnalysisError> {
        self.nulls_with(raw_uv, pipeline, &|| ())
    }

    /// Judges figures of the data by those of surrogates, whosesoever: a stream's rolling null comes from ten windows.
    pub fn assess(&self, observed: &Observed, nulls: &Nulls) -> Significance {
        let asked = Asked {
            kind: self.kind,
            origin: self.origin,
            seed: self.seed,
            alpha: self.alpha,
        };
        assess(observed, nulls, &asked)
    }

    fn nulls_with(
        &self,
        raw_uv: ArrayView2<'_, f64>,
        pipeline: &Pipeline,
        done: &(dyn Fn() + Sync),
    ) -> Result<Nulls, AnalysisError> {
        self.check(raw_uv, pipeline)?;
        match self.origin {
            Origin::Raw => Ok(self.of_raw(raw_uv, pipeline, done)),
            Origin::Filtered => {
                let filtered = pipeline.filtered(raw_uv)?;
                Ok(self.of_filtered(filtered.view(), pipeline, done))
            }
        }
    }

    fn check(&self, x: ArrayView2<'_, f64>, pipeline: &Pipeline) -> Result<(), AnalysisError> {
        if self.n < 1 || u32::try_from(self.n - 1).is_err() {
            return Err(AnalysisError::setting("surrogates", self.n, "1..=2^32"));
        }
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return Err(AnalysisError::setting(
                "alpha",
                self.alpha,
                "above 0 and below 1",
            ));
        }
        pipeline.check_length(x.ncols())
    }

    fn key(&self, surrogate: u32) -> Key {
        Key {
            seed: self.seed,
            session: self.session,
            window: self.window,
            surrogate,
        }
    }

    /// Every surrogate by `one`, in the order of their numbers whichever thread makes them.
    fn each<W>(
        &self,
        workspace: impl Fn() -> W + Sync + Send,
        one: impl Fn(&mut W, Key) -> Figures + Sync + Send,
        done: &(dyn Fn() + Sync),
    ) -> Nulls {
        let last = u32::try_from(self.n - 1).unwrap_or(u32::MAX);
        let surrogates = (0..=last)
            .into_par_iter()
            .map_init(workspace, |workspace, surrogate| {
                let figures = one(workspace, self.key(surrogate));
                done();
                figures
            })
            .collect();
        Nulls { surrogates }
    }

    /// Randomise, then one inverse transform per channel.
    fn of_filtered(
        &self,
        filtered: ArrayView2<'_, f64>,
        pipeline: &Pipeline,
        done: &(dyn Fn() + Sync),
    ) -> Nulls {
        let (n_channels, n_samples) = filtered.dim();
        let kept = pipeline.n_trim()..n_samples - pipeline.n_trim();
        let materials = self.materials(filtered);
        self.each(
            || PerThread::new((n_channels, n_samples), kept.len(), self.tested.parts()),
            |own, key| {
                for (channel, material) in materials.iter().enumerate() {
                    own.work
                        .analytic_surrogate(material, self.kind, (key, channel), &mut own.z);
                    own.planes.set(channel, own.z[kept.clone()].iter().copied());
                }
                Figures::of(&own.planes, self.tested, self.order)
            },
            done,
        )
    }

    /// Randomise the raw segment without its line, then the whole way of the data.
    fn of_raw(
        &self,
        raw_uv: ArrayView2<'_, f64>,
        pipeline: &Pipeline,
        done: &(dyn Fn() + Sync),
    ) -> Nulls {
        let (n_channels, n_samples) = raw_uv.dim();
        let kept = pipeline.n_trim()..n_samples - pipeline.n_trim();
        let mut straight = raw_uv.to_owned();
        remove_trend(straight.view_mut());
        let materials = self.materials(straight.view());
        self.each(
            || {
                (
                    PerThread::new((n_channels, n_samples), kept.len(), self.tested.parts()),
                    Array2::<f64>::zeros((n_channels, n_samples)),
                    Lanes::default(),
                )
            },
            |(own, x, lanes), key| {
                for (channel, (material, mut row)) in materials.iter().zip(x.rows_mut()).enumerate()
                {
                    let row = row.as_slice_mut().expect("rows of an array made here");
                    own.work.surrogate(material, self.kind, (key, channel), row);
                }
                remove_mean(x.view_mut());
                pipeline.run(lanes, x).expect("the length was checked");
                let values = x.as_slice().expect("an array made here");
                for (channel, row) in values.chunks_exact(n_samples).enumerate() {
                    own.work.hilbert().of_samples(row, &mut own.z);
                    own.planes.set(channel, own.z[kept.clone()].iter().copied());
                }
                Figures::of(&own.planes, self.tested, self.order)
            },
            done,
        )
    }

    fn materials(&self, x: ArrayView2<'_, f64>) -> Vec<Material> {
        let mut work = Workspace::new(x.ncols());
        x.rows()
            .into_iter()
            .map(|row| Material::new(row.to_vec(), self.kind, &mut work))
            .collect()
    }
}

impl Tested {
    fn parts(self) -> Parts {
        match self {
            Self::Pli => Parts::ExactAndShort,
            Self::PliAndWpli => Parts::Exact,
        }
    }
}

/// What one thread works in.
struct PerThread {
    work: Workspace,
    z: Vec<Complex64>,
    planes: Planes,
}

impl PerThread {
    fn new((n_channels, n_samples): (usize, usize), n_kept: usize, parts: Parts) -> Self {
        Self {
            work: Workspace::new(n_samples),
            z: vec![Complex64::default(); n_samples],
            planes: Planes::new(n_channels, n_kept, parts),
        }
    }
}
