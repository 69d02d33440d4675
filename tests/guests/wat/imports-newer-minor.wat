;; A command that imports a function our interface does not have in this minor version.
(component
  (import "remit:plugin/kv@1.9.0" (instance $missing
    (export "flush" (func))))
  (core func $lowered (canon lower (func $missing "flush")))
  (core module $code
    (import "host" "call" (func $call))
    (func (export "run") (result i32) (call $call) (i32.const 0)))
  (core instance $main (instantiate $code (with "host" (instance (export "call" (func $lowered))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
