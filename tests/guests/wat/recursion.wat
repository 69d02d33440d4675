;; A command that calls itself for ever, with a frame as small as they get.
(component
  (core module $code
    (func $again (call $again))
    (func (export "run") (result i32) (call $again) (i32.const 0)))
  (core instance $main (instantiate $code))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
