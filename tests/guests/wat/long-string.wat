;; A command that hands the host a log message of almost 4 GiB, of memory that it never touched.
(component
  (import "remit:plugin/log@1.0.0" (instance $log
    (type $level' (enum "trace" "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (export "log" (func (param "level" $level) (param "message" string)))))
  (core module $space (memory (export "memory") 1))
  (core instance $space (instantiate $space))
  (core func $log (canon lower (func $log "log") (memory (core memory $space "memory"))))
  (core module $code
    (import "host" "log" (func $log (param i32 i32 i32)))
    (import "space" "memory" (memory 1))
    (func (export "run") (result i32)
      ;; Take as much as there is to have.
      (loop $again
        (br_if $again (i32.ne (memory.grow (i32.const 256)) (i32.const -1))))
      (call $log (i32.const 2) (i32.const 0) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)))
      (i32.const 0)))
  (core instance $main (instantiate $code
    (with "host" (instance (export "log" (func $log))))
    (with "space" (instance $space))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
