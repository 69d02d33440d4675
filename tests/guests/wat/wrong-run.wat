;; Exports `run`, but of another type than an agent's.
(component
  (core module $code (func (export "run") (result i32) (i32.const 0)))
  (core instance $main (instantiate $code))
  (func (export "run") (result u32) (canon lift (core func $main "run"))))
