;; A command that returns an error and nothing else. It imports nothing: the smallest guest that runs.
(component
  (core module $code (func (export "run") (result i32) (i32.const 1)))
  (core instance $main (instantiate $code))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
