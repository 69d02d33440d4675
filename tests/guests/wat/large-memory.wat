;; A command whose memory has 4 GiB from the start.
(component
  (core module $code
    (memory 65536)
    (func (export "run") (result i32) (i32.const 0)))
  (core instance $main (instantiate $code))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
