//! CloudWatch's metric math, as far as the template uses it: numbers, ids, `+ - * / > <`, `FILL` and `IF`.
//!
//! An expression with a missing value, or with a division by zero, has no value.

/// A parsed expression.
#[derive(Debug)]
pub enum Expression {
    Number(f64),
    Id(String),
    Operation(Box<Self>, char, Box<Self>),
    Call(String, Vec<Self>),
}

/// The text that is not parsed yet.
struct Parser<'a>(&'a str);

impl Expression {
    /// Parses an expression.
    pub fn parse(text: &str) -> Self {
        let mut parser = Parser(text);
        let expression = parser.comparison();
        assert_eq!(parser.0.trim(), "", "the rest of {text} is not implemented here");
        expression
    }

    /// The value in one period. `of` gives the value of an id.
    pub fn evaluate(&self, of: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Id(id) => of(id),
            Self::Operation(left, sign, right) => {
                let (left, right) = (left.evaluate(of), right.evaluate(of));
                left.zip(right).and_then(|(left, right)| operate(left, *sign, right))
            }
            Self::Call(name, arguments) => match (name.as_str(), arguments.as_slice()) {
                ("FILL", [filled, with]) => filled.evaluate(of).or_else(|| with.evaluate(of)),
                ("IF", [condition, then, otherwise]) => {
                    let holds = condition.evaluate(of)? != 0.0;
                    if holds { then.evaluate(of) } else { otherwise.evaluate(of) }
                }
                _ => panic!("{name} of {arguments:?} is not implemented here"),
            },
        }
    }

    /// The ids that the expression names.
    pub fn ids(&self) -> Vec<&str> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Id(id) => vec![id],
            Self::Operation(left, _, right) => [left.ids(), right.ids()].concat(),
            Self::Call(_, arguments) => arguments.iter().flat_map(Self::ids).collect(),
        }
    }
}

fn operate(left: f64, sign: char, right: f64) -> Option<f64> {
    match sign {
        '+' => Some(left + right),
        '-' => Some(left - right),
        '*' => Some(left * right),
        '/' => (right != 0.0).then(|| left / right),
        '>' => Some(f64::from(left > right)),
        _ => Some(f64::from(left < right)),
    }
}

impl Parser<'_> {
    /// Takes the next sign if it is one of `signs`.
    fn sign(&mut self, signs: &str) -> Option<char> {
        self.0 = self.0.trim_start();
        let sign = self.0.chars().next().filter(|sign| signs.contains(*sign))?;
        self.0 = &self.0[1..];
        Some(sign)
    }

    /// Takes the next characters that `belongs` accepts.
    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        self.0 = self.0.trim_start();
        let end = self.0.find(|char| !belongs(char)).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word.to_owned()
    }

    fn chain(&mut self, signs: &str, part: impl Fn(&mut Self) -> Expression) -> Expression {
        let mut left = part(self);
        while let Some(sign) = self.sign(signs) {
            left = Expression::Operation(Box::new(left), sign, Box::new(part(self)));
        }
        left
    }

    fn comparison(&mut self) -> Expression {
        self.chain("<>", Self::sum)
    }

    fn sum(&mut self) -> Expression {
        self.chain("+-", Self::product)
    }

    fn product(&mut self) -> Expression {
        self.chain("*/", Self::factor)
    }

    fn factor(&mut self) -> Expression {
        if self.sign("(").is_some() {
            let inner = self.comparison();
            assert!(self.sign(")").is_some(), "a bracket is not closed before {}", self.0);
            return inner;
        }
        let word = self.word(|char| char.is_ascii_alphanumeric() || char == '.' || char == '_');
        assert!(!word.is_empty(), "{} is not implemented here", self.0);
        if let Ok(number) = word.parse() {
            return Expression::Number(number);
        }
        if self.sign("(").is_none() {
            return Expression::Id(word);
        }
        let mut arguments = Vec::new();
        while self.sign(")").is_none() {
            arguments.push(self.comparison());
            self.sign(",");
        }
        Expression::Call(word, arguments)
    }
}
