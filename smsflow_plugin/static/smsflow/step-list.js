/* A list of steps whose picker does not offer "Step that is not installed": it can only be kept. */
(() => {
  const { StreamBlockDefinition } = window.wagtailStreamField.blocks;

  class StepListDefinition extends StreamBlockDefinition {
    constructor(name, groups, initialStates, meta) {
      super(name, groups, initialStates, meta);
      // the definitions by name are built by now; only the picker reads the groups
      this.groupedChildBlockDefs = groups.map(([group, blocks]) => [
        group,
        blocks.filter((block) => block.name !== meta.keptType),
      ]);
    }
  }

  window.telepath.register('smsflow.StepList', StepListDefinition);
})();
