;; A command that imports an interface nobody knows, with a version.
(component
  (import "acme:thing/api@1.2.3" (instance $missing
    (export "call" (func))))
  (core func $lowered (canon lower (func $missing "call")))
  (core module $code
    (import "host" "call" (func $call))
    (func (export "run") (result i32) (call $call) (i32.const 0)))
  (core instance $main (instantiate $code (with "host" (instance (export "call" (func $lowered))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
