;; A command that never ends being instantiated: its core module's start function loops.
(component
  (core module $code
    (func $spin (loop $again (br $again)))
    (start $spin)
    (func (export "run") (result i32) (i32.const 0)))
  (core instance $main (instantiate $code))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
