;; A component that exports nothing: neither an agent nor a command.
(component
  (core module $code (func))
  (core instance (instantiate $code)))
