;; A command that grows its memory until it is refused, and then fails: a host must end it before.
(component
  (core module $code
    (memory 1)
    (func (export "run") (result i32)
      (loop $again
        (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
      (i32.const 1)))
  (core instance $main (instantiate $code))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
