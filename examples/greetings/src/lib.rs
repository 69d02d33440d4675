//! Greets in a typed interface, `wit/greetings.wit`: the smallest connector.
use exports::local::greetings::greetings::{Error, Guest, Language, Person};
use remit_sdk::prelude::*;

connector!(Connector, derive(PartialEq));

/// The longest name, in bytes.
const NAME_LEN_MAX: usize = 200;

struct Connector;

impl Guest for Connector {
    fn greet(person: Person) -> Result<String, Error> {
        match person.name.len() {
            0 => return Err(Error::NoName),
            len if len > NAME_LEN_MAX => return Err(Error::NameTooLong(NAME_LEN_MAX as u32)),
            _ => {}
        }
        Ok(match person.language {
            Language::English => format!("Hello, {}!", person.name),
            Language::French => format!("Bonjour, {} !", person.name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greet(name: &str, language: Language) -> Result<String, Error> {
        Connector::greet(Person { name: name.to_owned(), language })
    }

    #[test]
    fn whoever_has_a_name_is_greeted() {
        assert_eq!(greet("Ada", Language::English), Ok("Hello, Ada!".to_owned()));
        assert_eq!(greet("Ada", Language::French), Ok("Bonjour, Ada !".to_owned()));
    }

    #[test]
    fn who_has_none_or_too_much_of_one_is_not() {
        assert_eq!(greet("", Language::English), Err(Error::NoName));
        assert_eq!(greet(&"a".repeat(201), Language::English), Err(Error::NameTooLong(200)));
    }
}
