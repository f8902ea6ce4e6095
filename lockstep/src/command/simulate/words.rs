//! The small language of `simulate`'s options: `WHAT@START+LENGTH/EVERY`, times as `5s`, `1m30s`, `0s`.

use std::str::FromStr;

use simulator::exchange::{Dialect, Fault, Scheduled};
use simulator::market::{Dislocation, RateMove, Size, Venue};

/// When: milliseconds from the start of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct When {
    start_ms: i64,
    length_ms: Option<i64>,
    every_ms: Option<i64>,
}

/// `--dislocate`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dislocate {
    pub(super) first: Dislocation,
    pub(super) every_ms: Option<i64>,
}

/// `--move-rate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MoveRate(pub(super) RateMove);

/// `--misbehave`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misbehave(pub(super) Scheduled);

/// `--port`; without a dialect Discord's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Port {
    pub(super) dialect: Option<Dialect>,
    pub(super) port: u16,
}

/// `--skew`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Skew {
    pub(super) dialect: Dialect,
    pub(super) ms: i64,
}

fn time_ms(text: &str) -> Result<i64, String> {
    let fault = || format!("`{text}` is no time such as `0s`, `30s` or `1m30s`");
    let time: jiff::SignedDuration = text.parse().map_err(|_| fault())?;
    let ms = i64::try_from(time.as_millis()).map_err(|_| fault())?;
    // A year; beyond it nanoseconds would not fit with today.
    if !(0..=31_536_000_000).contains(&ms) {
        return Err(fault());
    }
    Ok(ms)
}

/// `START[+LENGTH][/EVERY]`.
fn when(text: &str) -> Result<When, String> {
    let (text, every) = match text.split_once('/') {
        Some((text, every)) => (text, Some(every)),
        None => (text, None),
    };
    let (start, length) = match text.split_once('+') {
        Some((start, length)) => (start, Some(length)),
        None => (text, None),
    };
    let positive = |text: &str| match time_ms(text)? {
        0 => Err(format!("`{text}` must be above zero")),
        ms => Ok(ms),
    };
    Ok(When {
        start_ms: time_ms(start)?,
        length_ms: length.map(positive).transpose()?,
        every_ms: every.map(positive).transpose()?,
    })
}

fn dialect(name: &str) -> Result<Dialect, String> {
    Dialect::of(name).ok_or_else(|| {
        let known = Dialect::ALL.map(Dialect::name).join(", ");
        format!("`{name}` is imitated by nobody; there are {known}")
    })
}

fn bps(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(bps) if bps.is_finite() && bps.abs() <= 5_000.0 => Ok(bps),
        _ => Err(format!("`{text}` is no number of basis points within 5000")),
    }
}

impl FromStr for Dislocate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || "expected PAIR:BUY:SELL:NET@START+LENGTH[/EVERY]".to_owned();
        let (what, when) = text.split_once('@').ok_or_else(shape)?;
        let [pair, buy, sell, net] = what.split(':').collect::<Vec<_>>()[..] else {
            return Err(shape());
        };
        let venue = |name: &str| {
            Venue::of(name).ok_or_else(|| {
                let known = Venue::ALL.map(Venue::name).join(", ");
                format!("`{name}` is no venue; there are {known}")
            })
        };
        let when = self::when(when)?;
        let length_ms = when.length_ms.ok_or_else(shape)?;
        let first = Dislocation::new(pair, venue(buy)?, venue(sell)?, Size::Net(bps(net)?));
        Ok(Self {
            first: first.at(when.start_ms, length_ms),
            every_ms: when.every_ms,
        })
    }
}

impl FromStr for MoveRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || "expected BPS@START+LENGTH".to_owned();
        let (far, when) = text.split_once('@').ok_or_else(shape)?;
        let (whole, part) = far.split_once('.').unwrap_or((far, ""));
        bps(far)?;
        // Hundredths, by their digits.
        let centibps: i64 = format!("{whole}{part:0<2}")
            .parse()
            .map_err(|_| format!("`{far}` has more than two decimals or is no number"))?;
        if part.len() > 2 {
            return Err(format!("`{far}` has more than two decimals"));
        }
        match self::when(when)? {
            When {
                start_ms,
                length_ms: Some(length_ms),
                every_ms: None,
            } => Ok(Self(RateMove {
                start_ms,
                length_ms,
                centibps,
            })),
            _ => Err(shape()),
        }
    }
}

impl FromStr for Misbehave {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || "expected VENUE:WHAT@START[+LENGTH][/EVERY]".to_owned();
        let (what, when) = text.rsplit_once('@').ok_or_else(shape)?;
        let (venue, fault) = what.split_once(':').ok_or_else(shape)?;
        let when = self::when(when)?;
        let fault = Fault::parse(fault).map_err(|error| error.to_string())?;
        if fault.is_once() && when.length_ms.is_some() {
            return Err(format!("`{what}` happens once and has no length"));
        }
        Ok(Self(Scheduled {
            dialect: dialect(venue)?,
            fault,
            at_ms: when.start_ms,
            for_ms: when.length_ms,
            every_ms: when.every_ms,
        }))
    }
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, port) = text.split_once('=').ok_or("expected VENUE=PORT")?;
        Ok(Self {
            dialect: match name {
                "discord" => None,
                name => Some(dialect(name)?),
            },
            port: port
                .parse()
                .map_err(|_| format!("`{port}` is no port, 0..=65535"))?,
        })
    }
}

impl FromStr for Skew {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, ms) = text.split_once('=').ok_or("expected VENUE=MS")?;
        let fault = || format!("`{ms}` is no number of milliseconds within a day");
        let ms: i64 = ms.parse().map_err(|_| fault())?;
        if ms.abs() > 86_400_000 {
            return Err(fault());
        }
        Ok(Self {
            dialect: dialect(name)?,
            ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_help_shows_can_be_read() {
        let dislocate: Dislocate = "BTC-USD:binance:coinbase:25@5s+10s/1m".parse().unwrap();
        let expected =
            Dislocation::new("BTC-USD", Venue::Binance, Venue::Coinbase, Size::Net(25.0));
        assert_eq!(dislocate.first, expected.at(5_000, 10_000));
        assert_eq!(dislocate.every_ms, Some(60_000));
        let Misbehave(silent) = "binance:silent=BTCUSDT@20s+15s".parse().unwrap();
        assert_eq!(silent.fault, Fault::SilentSymbol("BTCUSDT".to_owned()));
        assert_eq!(
            (silent.at_ms, silent.for_ms, silent.every_ms),
            (20_000, Some(15_000), None)
        );
        let Misbehave(huge) = "coinbase-exchange:huge@0s".parse().unwrap();
        assert_eq!((huge.dialect, huge.at_ms), (Dialect::CoinbaseExchange, 0));
        let MoveRate(stretch) = "-50.5@1s+10m".parse().unwrap();
        assert_eq!((stretch.centibps, stretch.length_ms), (-5_050, 600_000));
        let port: Port = "discord=9110".parse().unwrap();
        assert_eq!((port.dialect, port.port), (None, 9_110));
        assert_eq!("binance=-250".parse::<Skew>().unwrap().ms, -250);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_could_be() {
        let refused = |text: &str| text.parse::<Misbehave>().unwrap_err();
        assert!(refused("binance:silent").contains("expected VENUE:WHAT@START"));
        assert!(refused("okx:silent@1s").contains("there are coinbase"));
        assert!(refused("binance:rude@1s").contains("flood=PER_SECOND"));
        assert!(refused("binance:cut@1s+2s").contains("happens once"));
        assert!(refused("binance:silent@1s+0s").contains("above zero"));
        assert!(refused("binance:silent@soon").contains("no time"));
        for text in [
            "BTC-USD:binance:coinbase@1s+1s",
            "BTC-USD:binance:coinbase:5@1s",
            "B:a:b:1@1s+1s",
            "B:binance:coinbase:nan@1s+1s",
        ] {
            assert!(text.parse::<Dislocate>().is_err(), "{text}");
        }
        for text in ["1.234@1s+1s", "5@1s", "x@1s+1s", "5@1s+1s/1m", "1e3@1s+1s"] {
            assert!(text.parse::<MoveRate>().is_err(), "{text}");
        }
        assert!("binance=70000".parse::<Port>().is_err());
        assert!("binance".parse::<Port>().is_err());
        assert!("binance=99999999999".parse::<Skew>().is_err());
    }
}
