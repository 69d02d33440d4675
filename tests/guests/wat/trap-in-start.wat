;; A command that traps while it is instantiated.
(component
  (core module $code
    (func $fail unreachable)
    (start $fail)
    (func (export "run") (result i32) (i32.const 0)))
  (core instance $main (instantiate $code))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
